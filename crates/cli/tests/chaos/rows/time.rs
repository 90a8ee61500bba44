//! The clock jumps under a running server: a second, a day back, ten years ahead and back again (I-6).

use std::{fs, path::PathBuf, thread, time::Duration};

use crate::{
    history::{Call, Outcome},
    people::{Crowd, World},
    round::{Round, world},
    site::{Site, Start},
    wire::Request,
};

/// Debian's place and those of others.
fn library() -> String {
    let places =
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|place| format!("/usr/lib/{place}/faketime/libfaketimeMT.so.1"));
    let more = ["/usr/lib/faketime/libfaketimeMT.so.1", "/usr/lib64/faketime/libfaketimeMT.so.1"].map(str::to_owned);
    let mut all = places.into_iter().chain(more);
    all.find(|path| PathBuf::from(path).exists()).expect("libfaketime is missing (Debian: apt-get install faketime)")
}

/// A server whose clock the file moves; intervals stay those of the machine.
fn moved(file: &std::path::Path) -> Start {
    Start::default()
        .with("LD_PRELOAD", &library())
        .with("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap())
        .with("FAKETIME_NO_CACHE", "1")
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

pub fn jumps(round: &mut Round) {
    let site = Site::default();
    let file = site.folder().join("time");
    let set = |offset: &str| {
        let draft = file.with_extension("new");
        fs::write(&draft, format!("{offset}\n")).unwrap();
        fs::rename(&draft, &file).unwrap();
    };
    set("+0");
    // A token of a day that has not come is refused (TOK-15), and good again later; its session is what this is about.
    let world = World { asks: false, links: true, codes: true, ..world(&site) };
    let mut server = site.serve(&moved(&file));
    let crowd = Crowd::begin(&world, 4, &mut round.dice(0));
    for iteration in 0..round.iterations {
        let mut dice = round.dice(1 + iteration);
        round.expect(crowd.progress(20), "I-11: nothing is answered any more");
        set(["+1s", "-1s", "-1d"][iteration % 3]);
        round.expect(crowd.progress(10), "I-11: nothing is answered at another time");
        if dice.percent(30) {
            server.kill();
            server = site.serve(&moved(&file));
        }
        thread::sleep(dice.millis(50, 400));
        set("+0");
    }
    round.expect(crowd.progress(20), "I-11: nothing is answered any more");
    let people = crowd.pause();
    ahead(round, &world, set);
    for person in people {
        person.try_what_is_over(10);
    }
    round.judge(&world.history);
    drop(server);
}

/// Ten years ahead every session is over; back again none of them that was refused is alive. Revocations are not forgotten
/// meanwhile: whoever was signed out stays so.
fn ahead(round: &mut Round, world: &World, set: impl Fn(&str)) {
    // Nobody is honestly signed in in ten years: whatever is refused from here on may be.
    world.history.note(Call::EndAll, Outcome::Lost);
    set("+10y");
    thread::sleep(Duration::from_millis(1_500));
    let ready = Request { line: "GET /readyz", ..Request::default() }.send(world.replicas[0].address);
    round.expect(ready.is_some_and(|ready| ready.status == 200), "it is not ready in ten years");
    set("+0");
}
