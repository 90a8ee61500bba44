//! From the commit to the first refusal: a person signs in, every verifier accepts the token, the person is signed out
//! everywhere, and each verifier is asked until it refuses.

use std::time::Duration;

use anyhow::Result;
use http::Method;
use serde::Serialize;

use crate::{
    fleet::{Fleet, Verifiers, processes},
    http::Connection,
    issuer::{Issuer, Person},
    stats::Spread,
    time,
};

/// The commit is waited for at any point of the feed's round of 200 ms.
const ROUND: Duration = Duration::from_millis(200);

/// One way from the issuer to a number of verifiers.
#[derive(Debug, Clone, Serialize)]
pub struct Delay {
    pub way: &'static str,
    pub database: &'static str,
    pub verifiers: usize,
    pub rounds: usize,
    /// Milliseconds from the answer to the revocation to each verifier's first refusal; below 0 is before the answer.
    pub from_answer: Spread,
    /// Milliseconds from the sending of the request, which the commit comes after.
    pub from_request: Spread,
    /// Milliseconds from the answer until the last verifier refused, round by round.
    pub everywhere: Spread,
    /// From the request to the answer.
    pub answer: Spread,
}

/// Who signs in and out, and where.
pub struct Stage {
    pub person: Person,
    pub admin: Connection,
    pub public: Connection,
}

impl Stage {
    pub async fn of(issuer: &Issuer) -> Result<Self> {
        let mut admin = issuer.admin().await?;
        let person = Person::register(&mut admin).await?;
        Ok(Self { person, admin, public: issuer.connect().await? })
    }

    /// Signs the person out everywhere; when the request was sent and when the answer was there.
    pub async fn revoke(&mut self) -> Result<(u64, u64)> {
        let body = self.person.end();
        let sent = time::now();
        self.admin.json(Method::POST, "/api/admin/revocations", &body).await?;
        Ok((sent, time::now()))
    }

    pub async fn sign_in(&mut self) -> Result<String> {
        self.person.sign_in(&mut self.public).await
    }
}

/// What is measured: how it is called, at how many verifiers, how often.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    pub way: &'static str,
    pub database: &'static str,
    pub verifiers: usize,
    pub rounds: usize,
}

pub async fn measure(stage: &mut Stage, trial: Trial, like: &Verifiers) -> Result<Delay> {
    let mut fleet = Fleet::start(processes(trial.verifiers, like)?).await?;
    let (mut answer, mut request) = (Vec::new(), Vec::new());
    let (mut everywhere, mut answered) = (Vec::new(), Vec::new());
    // The first rounds warm up what is measured.
    for round in -2..i64::try_from(trial.rounds)? {
        let token = stage.sign_in().await?;
        fleet.watch(&token).await?;
        tokio::time::sleep(time::anywhere_in(ROUND)).await;
        let (sent, came) = stage.revoke().await?;
        let refused = fleet.refused().await?;
        if round < 0 {
            continue;
        }
        answer.extend(refused.iter().map(|at| time::millis(came, *at)));
        request.extend(refused.iter().map(|at| time::millis(sent, *at)));
        everywhere.push(time::millis(came, refused.iter().copied().max().unwrap_or(came)));
        answered.push(time::millis(sent, came));
    }
    let Trial { way, database, verifiers, rounds } = trial;
    Ok(Delay {
        way,
        database,
        verifiers,
        rounds,
        from_answer: Spread::of(answer),
        from_request: Spread::of(request),
        everywhere: Spread::of(everywhere),
        answer: Spread::of(answered),
    })
}
