//! Between the issuer and a verifier: the feed is cut, hangs, and its keys are slow or gone.

use std::{thread, time::Duration};

use countersign_server::clock::Clock;
use serde_json::json;

use crate::{
    history::{Call, Given, Lease, Outcome},
    people::{Crowd, verify},
    proxy::{Mode, Proxy},
    round::{Follower, Round, world_of},
    site::{Site, Start},
    wire::{Request, outcome},
};

/// Behind the proxy the issuer has its name: the verifier hears everything through it, the people do not.
pub fn cut(round: &mut Round) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(address);
    let issuer = format!("http://localhost:{}", proxy.address.port());
    let mut site = Site::new(&[("COUNTERSIGN_ISSUER", &issuer)]);
    site.address = address;
    let server = site.serve(&Start::default());
    let follower = Follower::new();
    let world = world_of(&[&site], Some(follower.follow(&issuer)));
    let account = json!({ "email": "cut@example.com", "password": "correct horse battery staple 0" }).to_string();
    let post = |line: &str| {
        Request { line, kind: "application/json", body: &account, ..Request::default() }.send(site.address)
    };
    let register = || (outcome(post("POST /register").as_ref(), |_| Given::Nothing), ());
    world.history.call(Call::Register { user: "cut".to_owned() }, register);
    let crowd = Crowd::begin(&world, 3, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(10), "I-11: nothing is answered any more");
        let user = "cut".to_owned();
        let (opened, answer) = world.history.call(Call::SignIn { user, password: 0 }, || {
            let answer = post("POST /login");
            (outcome(answer.as_ref(), |answer| Given::Session(answer.member("sid"))), answer)
        });
        round.expect(opened.is_done(), "no sign-in");
        let answer = answer.unwrap();
        let (sid, access) = (answer.member("sid"), answer.member("access_token"));
        let seen = (0..400).any(|_| {
            thread::sleep(Duration::from_millis(10));
            verify(&world, &sid, &access, Lease::Open).is_done()
        });
        round.expect(seen, "the verifier does not accept a fresh token");
        proxy.set(if dice.percent(50) { Mode::Hang } else { Mode::Refuse });
        let since = Clock::System.now();
        let body = json!({ "kind": "session", "id": sid }).to_string();
        let end = Request {
            line: "POST /api/admin/revocations",
            kind: "application/json",
            body: &body,
            ..Request::default()
        };
        let end = || (outcome(end.send_locally(&site.socket()).as_ref(), |_| Given::Nothing), ());
        world.history.call(Call::EndSession { session: sid.clone() }, end);
        let until = since.plus(dice.millis(2_500, 4_000));
        while Clock::System.now() < until {
            verify(&world, &sid, &access, Lease::CutSince(since));
            thread::sleep(Duration::from_millis(20));
        }
        proxy.set(Mode::Pass);
        proxy.cut();
        let dead = (0..2_000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            matches!(verify(&world, &sid, &access, Lease::Open), Outcome::Refused(_))
        });
        round.expect(dead, "I-7: the verifier does not hear of the end when it is connected again");
    }
    round.settle(crowd, &world);
    drop(server);
}
