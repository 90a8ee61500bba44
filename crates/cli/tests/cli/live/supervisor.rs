//! What systemd hears: the protocol of sd_notify(3), by a socket of the test.

use std::{os::unix::net::UnixDatagram, time::Duration};

use super::Live;
use crate::rig::kill;

fn next(socket: &UnixDatagram) -> String {
    let mut line = [0; 256];
    let length = socket.recv(&mut line).expect("the server says something");
    String::from_utf8(line[..length].to_vec()).unwrap()
}

/// The next line that is no sign of life.
fn news(socket: &UnixDatagram) -> String {
    loop {
        let line = next(socket);
        if line != "WATCHDOG=1" {
            return line;
        }
    }
}

#[test]
fn it_says_when_it_is_ready_reloading_and_stopping_and_that_it_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let variables = [
        ("NOTIFY_SOCKET", path.display().to_string()),
        ("WATCHDOG_USEC", Duration::from_secs(2).as_micros().to_string()),
    ];
    let mut live = Live::start("", &variables);
    assert_eq!(news(&socket), "READY=1");
    // Twice in each time that systemd would wait.
    assert_eq!([next(&socket), next(&socket)], ["WATCHDOG=1", "WATCHDOG=1"]);
    live.hang_up();
    assert_eq!(news(&socket), "RELOADING=1");
    assert_eq!(news(&socket), "READY=1");
    // A reload that was refused is over as well; the server still serves.
    live.reload("nothing = 1\n");
    assert_eq!([news(&socket), news(&socket)], ["RELOADING=1", "READY=1"]);
    kill(live.server.child.id(), "-TERM");
    assert_eq!(news(&socket), "STOPPING=1");
    assert_eq!(live.server.child.wait().unwrap().code(), Some(0));
}
