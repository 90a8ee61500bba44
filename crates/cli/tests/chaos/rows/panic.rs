//! A handler panics now and then, as at an input that nobody thought of: before a commit, in the middle of a transaction, after
//! it. The answer is a 500 that tells nothing, and everything else goes on (AUD-06).

use crate::{
    history::Outcome,
    people::{Crowd, World},
    round::{Follower, Round, world_of},
    site::{Site, Start},
};

/// After a commit and before its answer; in a transaction that has appended to the log.
const PLACES: [&str; 3] = ["refresh.committed", "revocation.committed", "revocation.appended"];

pub fn poisoned(round: &mut Round) {
    let (site, follower) = (Site::default(), Follower::new());
    let mut server = site.serve(&Start::default());
    let world = World { links: true, codes: true, ..world_of(&[&site], Some(follower.follow(&site.issuer()))) };
    let crowd = Crowd::begin(&world, 5, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(10), "I-11: nothing is answered any more");
        let code = server.stop();
        round.expect(code == Some(0), format!("it stopped with {code:?} after panics"));
        let (place, every) = (PLACES[iteration % PLACES.len()], 1 + dice.below(4));
        let poison = format!("{place}:{every}:panic");
        server = site.serve(&Start::default().with("COUNTERSIGN_TEST_FAILPOINT", &poison));
        round.expect(crowd.progress(40), format!("I-11: nothing is answered any more, {poison}"));
        round.expect(server.is_running(), format!("the process ended: {}", server.log()));
    }
    let code = server.stop();
    round.expect(code == Some(0), format!("it stopped with {code:?} after panics"));
    let _server = site.serve(&Start::default());
    let left_out = crowd.settle();
    round.expect(left_out.is_empty(), format!("I-11: not served again: {left_out:?}"));
    let mut events = world.history.events();
    let mut answers = 0;
    for event in &mut events {
        if let Outcome::Wrong(text) = &event.outcome
            && text.starts_with("500 ")
        {
            let tells = ["panic", "committed", "appended", "failpoint", ".rs"].iter().any(|word| text.contains(word));
            round.expect(!tells, format!("the answer says what is inside: {text}"));
            answers += 1;
            // What was asked may have happened or not, as after no answer.
            event.outcome = Outcome::Lost;
        }
    }
    round.expect(answers > 0, "nothing panicked");
    round.note(format!("{answers} answers of 500"));
    round.judge_events(&events);
}
