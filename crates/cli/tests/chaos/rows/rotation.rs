//! The process is killed in the middle of a key rotation, at any of its writes.

use serde_json::Value;

use crate::{
    people::Crowd,
    round::{Follower, Round, world_of},
    site::{Site, Start},
    wire::Request,
};

/// Nobody signs with a key that is not published, and there is always one that signs (KEY-03, I-9).
pub fn killed(round: &mut Round) {
    let (site, follower) = (Site::default(), Follower::new());
    let mut server = site.serve(&Start::default());
    let world = world_of(&[&site], Some(follower.follow(&site.issuer())));
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(20), "I-11: nothing is answered any more");
        server.kill();
        let call = *dice.pick(&["pwrite64", "fdatasync"]);
        let count = 1 + dice.below(if call == "pwrite64" { 60 } else { 15 });
        let blow = Start::strace(&format!("trace={call}"), &format!("inject={call}:signal=SIGKILL:when={count}"));
        if let Ok(mut doomed) = site.try_serve(&blow) {
            for _ in 0..6 {
                let now = dice.percent(50);
                let words: &[&str] = if now { &["key", "rotate", "--now"] } else { &["key", "rotate"] };
                let _ = site.run(&Start::default(), words);
                if !doomed.is_running() {
                    break;
                }
            }
            doomed.kill();
        }
        server = site.serve(&Start::default());
        round.expect(signs_with_published(&site), "I-9: no key signs, or one that is not published");
    }
    round.settle(crowd, &world);
    drop(server);
}

/// The key set that anybody reads holds every key that may sign.
fn signs_with_published(site: &Site) -> bool {
    let published = Request { line: "GET /.well-known/jwks.json", ..Request::default() }.send(site.address);
    let listed = Request { line: "GET /api/admin/keys", ..Request::default() }.send_locally(&site.socket());
    let (Some(published), Some(listed)) = (published, listed) else { return false };
    let published = published.json();
    let kids: Vec<&Value> = published["keys"].as_array().into_iter().flatten().map(|key| &key["kid"]).collect();
    let listed = listed.json();
    let keys = listed["items"].as_array().or_else(|| listed["keys"].as_array()).cloned().unwrap_or_default();
    let signing = |purpose: &str| {
        keys.iter().filter(|key| key["state"] == "active" && key["purpose"] == purpose).cloned().collect::<Vec<_>>()
    };
    let active = signing("token");
    !active.is_empty() && active.iter().all(|key| kids.contains(&&key["kid"]))
}
