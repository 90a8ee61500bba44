//! Verifiers that are cut off, with the profile `strict`: what they accept, and how soon they are back. The network is cut
//! while somebody is signed out, or the issuer's process stands still.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    delay::Stage,
    fleet::{Fleet, Tries, Verifiers, processes},
    issuer::{Issuer, Lab, Place},
    road::Road,
    stats::Spread,
    time,
};

/// The lease of `strict`, in nanoseconds.
const LEASE: u64 = 1_000_000_000;
/// What the bound allows above it: 200 ppm of drift, and the same again when the anchor is a second old.
const EPSILON: u64 = 1_000_000;
/// When everybody's lease has run out, however late in the feed's round the cut came.
const OVER: Duration = Duration::from_millis(1_600);
/// Long enough after the return to be ready again, or to have missed it.
const BACK: Duration = Duration::from_millis(1_500);

#[derive(Debug, Serialize)]
pub struct Cut {
    pub verifiers: usize,
    pub ways: Vec<Way>,
}

/// One way of being cut off.
#[derive(Debug, Serialize)]
pub struct Way {
    pub what: &'static str,
    /// Rounds times verifiers.
    pub trials: usize,
    /// Checks of a token that were made.
    pub tries: u64,
    /// Trials in which a check that began after the lease was answered with yes.
    pub late: usize,
    /// Tokens that came to life again, and answers that nothing explains.
    pub odd: u64,
    /// Milliseconds from the cut to the first "cannot tell".
    pub unable: Spread,
    /// Milliseconds from the return to the first answer.
    pub ready: Spread,
}

pub async fn measure(lab: &Lab, verifiers: usize, rounds: usize) -> Result<Cut> {
    let issuer = Issuer::start(lab, Place::new("cut", None)?).await?;
    let mut stage = Stage::of(&issuer).await?;
    let road = Road::to(issuer.place.address).await?;
    let feed = format!("http://{}/revocations/0", road.address);
    let like = Verifiers { feed: Some(feed), strict: true, ..Verifiers::of(&issuer.place.url) };
    let mut fleet = Fleet::start(processes(verifiers, &like)?).await?;
    let ways = vec![
        network(&mut stage, &road, &mut fleet, rounds).await?,
        standstill(&mut stage, &issuer, &mut fleet, rounds).await?,
    ];
    Ok(Cut { verifiers, ways })
}

/// The network is cut, and somebody is signed out meanwhile: no check that begins a lease after the answer is good.
async fn network(stage: &mut Stage, road: &Road, fleet: &mut Fleet, rounds: usize) -> Result<Way> {
    let mut way = Count::new("the network is cut, then somebody is signed out");
    for _ in 0..rounds {
        let token = stage.sign_in().await?;
        fleet.try_all(&token).await?;
        sleep(time::anywhere_in(Duration::from_millis(200))).await;
        let cut = time::now();
        road.cut();
        let (_, answered) = stage.revoke().await?;
        sleep(OVER).await;
        let back = time::now();
        road.mend();
        sleep(BACK).await;
        way.add(&fleet.stop().await?, (cut, answered + LEASE + EPSILON, back), true)?;
    }
    Ok(way.done())
}

/// The issuer's process stands still: nothing was signed after that, so no view of the log is younger.
async fn standstill(stage: &mut Stage, issuer: &Issuer, fleet: &mut Fleet, rounds: usize) -> Result<Way> {
    let mut way = Count::new("the issuer's process is stopped (SIGSTOP)");
    for _ in 0..rounds {
        let token = stage.sign_in().await?;
        fleet.try_all(&token).await?;
        sleep(time::anywhere_in(Duration::from_millis(200))).await;
        issuer.process.signal("-STOP").await?;
        let cut = time::now();
        sleep(OVER).await;
        let back = time::now();
        issuer.process.signal("-CONT").await?;
        sleep(BACK).await;
        way.add(&fleet.stop().await?, (cut, cut + LEASE + EPSILON, back), false)?;
    }
    Ok(way.done())
}

struct Count {
    what: &'static str,
    trials: usize,
    tries: u64,
    late: usize,
    odd: u64,
    unable: Vec<f64>,
    ready: Vec<f64>,
}

impl Count {
    fn new(what: &'static str) -> Self {
        Self { what, trials: 0, tries: 0, late: 0, odd: 0, unable: Vec::new(), ready: Vec::new() }
    }

    fn add(&mut self, tries: &[Tries], (cut, lease, back): (u64, u64, u64), revoked: bool) -> Result<()> {
        for one in tries {
            self.trials += 1;
            self.tries += one.tries;
            self.late += usize::from(one.last_accepted.is_some_and(|at| at > lease));
            self.odd += one.odd + one.revived + u64::from(revoked != one.revoked.is_some());
            let (Some(unable), Some(able)) = (one.unable, one.able) else {
                ensure!(one.unable.is_some(), "a verifier that was cut off never said so: {one:?}");
                // Never back within the time: that is what the table must show.
                self.ready.push(f64::INFINITY);
                continue;
            };
            self.unable.push(time::millis(cut, unable));
            // One that is back before the end of the cut was not cut off.
            ensure!(able > back, "a verifier that was cut off could tell: {one:?}");
            self.ready.push(time::millis(back, able));
        }
        Ok(())
    }

    fn done(self) -> Way {
        Way {
            what: self.what,
            trials: self.trials,
            tries: self.tries,
            late: self.late,
            odd: self.odd,
            unable: Spread::of(self.unable),
            ready: Spread::of(self.ready),
        }
    }
}
