//! A mail server that stalls, hangs up or says no at any stage: the issuer serves, each mail arrives in the end as one mail, and
//! its link works once (I-8).

use std::{collections::BTreeSet, thread, time::Duration};

use countersign_server::clock::Stopwatch;
use serde_json::{Value, json};

use crate::{
    history::{Call, Given, Outcome},
    mail_server::{MailServer, Taken},
    people::{Crowd, World, password, reset_link},
    round::{Round, world},
    site::{PATIENCE, Site, Start},
    wire::{Request, outcome},
};

const STAGES: [&str; 6] = ["connect", "ehlo", "mail", "rcpt", "data", "end"];
const WHAT: [&str; 4] = ["stall", "stall", "close", "451 4.3.0 not now"];

/// aiosmtpd, a real server that does what it is told.
pub fn stalls(round: &mut Round) {
    let server = MailServer::plain();
    let url = format!("smtp://localhost:{}", server.port);
    let site = Site::new(&[
        ("COUNTERSIGN_MAIL_SMTP", &url),
        ("COUNTERSIGN_MAIL_TIMEOUT", "2s"),
        ("COUNTERSIGN_MAIL_VERIFICATION", "optional"),
    ]);
    let world = world(&site);
    let issuer = site.serve(&Start::default());
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(10), "I-11: nothing is answered any more");
        let (at, what) = (*dice.pick(&STAGES), *dice.pick(&WHAT));
        server.behave(at, what, 1);
        let user = format!("mail{iteration}");
        register(&world, &user);
        round.expect(ask(&world, &user).is_done(), "nobody can ask for a link while the mail server is ill");
        round
            .expect(crowd.progress(30), format!("I-11: nothing is answered while the mail server does {what} at {at}"));
        let mails = arrived(&server, &user);
        let ids: BTreeSet<_> = mails.iter().map(Taken::message_id).collect();
        round.expect(ids.len() == 1, format!("{what} at {at}: {} mails came", ids.len()));
        if let Some(link) = mails.first().and_then(|mail| reset_link(&mail.raw)) {
            let first = follow(&world, &user, &link, 1);
            round.expect(first.is_done(), format!("the link of the mail does not work: {first:?}"));
            follow(&world, &user, &link, 2);
            sign_in(&world, &user, 1);
        }
    }
    round.settle(crowd, &world);
    drop(issuer);
}

/// The mails with a link for this person, once there is one.
fn arrived(server: &MailServer, user: &str) -> Vec<Taken> {
    let (begun, email) = (Stopwatch::start(), email(user));
    loop {
        let mut mails = server.taken();
        mails.retain(|mail| mail.to.contains(&email) && reset_link(&mail.raw).is_some());
        if !mails.is_empty() || begun.elapsed() > PATIENCE {
            return mails;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn email(user: &str) -> String {
    format!("{user}@example.com")
}

fn post(world: &World, line: &str, body: &Value) -> Outcome {
    let body = body.to_string();
    let request = Request { line, kind: "application/json", body: &body, ..Request::default() };
    outcome(request.send(world.replicas[0].address).as_ref(), |_| Given::Nothing)
}

fn register(world: &World, user: &str) {
    let body = json!({ "email": email(user), "password": password(0) });
    world.history.call(Call::Register { user: user.to_owned() }, || (post(world, "POST /register", &body), ()));
}

fn ask(world: &World, user: &str) -> Outcome {
    post(world, "POST /password/forgot", &json!({ "email": email(user) }))
}

fn follow(world: &World, user: &str, link: &str, to: u32) -> Outcome {
    let body = json!({ "token": link, "new_password": password(to) });
    let call = Call::UseLink { link: link.to_owned(), user: user.to_owned(), to };
    world.history.call(call, || (post(world, "POST /password/reset", &body), ())).0
}

fn sign_in(world: &World, user: &str, number: u32) {
    let body = json!({ "email": email(user), "password": password(number) }).to_string();
    world.history.call(Call::SignIn { user: user.to_owned(), password: number }, || {
        let request = Request { line: "POST /login", kind: "application/json", body: &body, ..Request::default() };
        let answer = request.send(world.replicas[0].address);
        (outcome(answer.as_ref(), |answer| Given::Session(answer.member("sid"))), ())
    });
}
