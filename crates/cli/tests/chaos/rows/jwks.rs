//! The key set of the issuer is ill: away, hanging, slow, garbage. Verifiers that know its keys go on, those that do not say that
//! they cannot judge, and nothing is accepted or refused for good because of it.

use std::{thread, time::Duration};

use countersign_server::clock::{Clock, Stopwatch};
use countersign_verify::Verifier;
use serde_json::json;

use crate::{
    history::{Call, Given, Lease, Outcome},
    people::{World, verify},
    proxy::{Keys, Mode, Proxy},
    round::{Follower, Round, world_of},
    site::{PATIENCE, Site, Start},
    wire::{Request, outcome},
};

/// How long it is ill.
const ILL: Duration = Duration::from_millis(2_500);

const ILLNESSES: [Keys; 8] = [
    Keys::Cut,
    Keys::Hang,
    Keys::Slow(Duration::from_millis(800)),
    Keys::Say("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}"),
    Keys::Say("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n<html>Sorry</html>"),
    Keys::Say("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{\"keys\":[{"),
    Keys::Say("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
    Keys::Say("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"),
];

pub fn ill(round: &mut Round) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(address);
    let issuer = format!("http://localhost:{}", proxy.address.port());
    let mut site = Site::new(&[("COUNTERSIGN_ISSUER", &issuer)]);
    site.address = address;
    let server = site.serve(&Start::default());
    let follower = Follower::new();
    let known = follower.follow(&issuer);
    let world = world_of(&[&site], Some(known.clone()));
    let account = json!({ "email": "keys@example.com", "password": "correct horse battery staple 0" }).to_string();
    let post = |line: &str| {
        Request { line, kind: "application/json", body: &account, ..Request::default() }.send(site.address)
    };
    let registered = world.history.call(Call::Register { user: "keys".to_owned() }, || {
        (outcome(post("POST /register").as_ref(), |_| Given::Nothing), ())
    });
    round.expect(registered.0.is_done(), "nobody can register");
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        let held = sign_in(&world, &post);
        soon(round, &known, &held.1, "a verifier that knows the keys");
        let illness = *dice.pick(&ILLNESSES);
        proxy.set(Mode::Keys(illness));
        let new = follower.begin(&issuer);
        // A key that verifiers cannot fetch signs nothing yet.
        let (code, said) = site.run(&Start::default(), &["key", "rotate"]);
        round.expect(code.is_some(), said);
        let later = sign_in(&world, &post);
        let begun = Stopwatch::start();
        while begun.elapsed() < ILL {
            for (sid, access) in [&held, &later] {
                let outcome = verify(&world, sid, access, Lease::Open);
                round.expect(
                    !matches!(outcome, Outcome::Refused(_)),
                    format!("{illness:?}: {outcome:?}, though it knows the keys"),
                );
            }
            let verdict = new.verify(&held.1);
            let may = matches!(illness, Keys::Slow(_)) || verdict.is_err();
            round.expect(may, format!("{illness:?}: accepted without keys"));
            thread::sleep(Duration::from_millis(50));
        }
        proxy.set(Mode::Pass);
        for (verifier, who) in [(&known, "a verifier that knew the keys"), (&new, "a verifier that began meanwhile")] {
            soon(round, verifier, &later.1, who);
        }
        end(round, &world, &site, &held, &new);
    }
    round.judge(&world.history);
    drop(server);
}

/// A new session: its id and its access token.
fn sign_in(world: &World, post: &impl Fn(&str) -> Option<crate::wire::Answer>) -> (String, String) {
    let call = Call::SignIn { user: "keys".to_owned(), password: 0 };
    let (_, answer) = world.history.call(call, || {
        let answer = post("POST /login");
        (outcome(answer.as_ref(), |answer| Given::Session(answer.member("sid"))), answer)
    });
    answer.map(|answer| (answer.member("sid"), answer.member("access_token"))).unwrap_or_default()
}

/// It accepts this in the end.
fn soon(round: &mut Round, verifier: &Verifier, access: &str, who: &str) {
    let begun = Stopwatch::start();
    while verifier.verify(access).is_err() && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
    let verdict = verifier.verify(access);
    round.expect(verdict.is_ok(), format!("I-11: {who} does not accept a good token: {verdict:?}"));
}

/// Both verifiers hear of an end afterwards.
fn end(round: &mut Round, world: &World, site: &Site, held: &(String, String), new: &Verifier) {
    let body = json!({ "kind": "session", "id": held.0 }).to_string();
    let request =
        Request { line: "POST /api/admin/revocations", kind: "application/json", body: &body, ..Request::default() };
    let ended = world.history.call(Call::EndSession { session: held.0.clone() }, || {
        (outcome(request.send_locally(&site.socket()).as_ref(), |_| Given::Nothing), ())
    });
    round.expect(ended.0.is_done(), "the session cannot be ended");
    let until = Clock::System.now().plus(Duration::from_millis(1_600));
    while Clock::System.now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    for verifier in [world.verifier.clone().unwrap(), new.clone()] {
        let world = World { verifier: Some(verifier), ..world.clone() };
        verify(&world, &held.0, &held.1, Lease::Open);
    }
}
