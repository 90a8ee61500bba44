//! SIGHUP: the configuration is read anew, as a whole or not at all.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Live, wait};
use crate::rig::{PASSWORD, Rig, Server};

fn registered(live: &Live, name: &str) -> u16 {
    let body = format!(r#"{{"email":"{name}@example.com","password":"{PASSWORD}"}}"#);
    live.rig.json("/register", &body).unwrap().0
}

#[test]
fn what_can_change_changes_and_what_cannot_waits_for_a_restart() {
    let live = Live::start("registration = \"open\"\n", &[]);
    assert_eq!(registered(&live, "ada"), 201);
    let log = live.reload("registration = \"closed\"\naccess_token_ttl = \"5m\"\nkeys.rotate_every = \"30d\"\n");
    assert!(log.contains("access_token_ttl") && log.contains("registration"), "{log}");
    assert!(log.contains("wait for a restart") && log.contains("keys.rotate_every"), "{log}");
    assert_eq!(registered(&live, "bob"), 403);
    let event = live.event("sys_config_reloaded");
    assert_eq!(event["detail"]["waiting"], "keys.rotate_every");
    // Sessions, counters and connections are where they were; only the lifetime of new tokens is another.
    let login = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
    let (status, body) = live.rig.json("/login", &login).unwrap();
    assert!(status == 200 && body.contains("\"expires_in\":300"), "{body}");
    // Nothing more has changed, and the key still waits.
    let log = live.hang_up();
    assert!(log.contains("wait for a restart") && !log.contains("access_token_ttl"), "{log}");
}

#[test]
fn a_configuration_that_is_not_understood_changes_nothing_at_all() {
    let live = Live::start("registration = \"open\"\n", &[]);
    for (bad, said) in [
        ("registration = \"closed\"\nrefresh.grase = \"1s\"\n", "did you mean `refresh.grace`?"),
        ("registration = \"closed\"\nrefresh.grace = \"1h\"\n", "refresh.grace"),
        ("registration = \"closed\"\nissuer = \"http://id.example.com\"\n", "plain http is allowed on localhost only"),
        ("registration = \"closed\"\nlog.level = \"loud=very\"\n", "is not a log level"),
        ("registration = \"closed\"\nmail.smtp = \"smtps://ada@mx.example\"\n", "mail.password_file"),
        ("registration = \"closed", "cannot read"),
    ] {
        let log = live.reload(bad);
        assert!(log.contains("was not read anew") && log.contains(said), "{said}: {log}");
    }
    assert_eq!(registered(&live, "ada"), 201);
    assert!(live.event("sys_config_refused")["detail"]["reason"].as_str().unwrap().contains("cannot read"));
}

#[test]
fn the_log_level_goes_up_and_down() {
    let live = Live::start("log.level = \"info\"\nlog.format = \"json\"\n", &[]);
    let requests = || live.log().matches("\"route\":\"/healthz\"").count();
    let ask = || assert_eq!(live.rig.http("GET", "/healthz", "", "").unwrap().0, 200);
    ask();
    assert_eq!(requests(), 0);
    live.reload("log.level = \"info,countersign_server=debug\"\nlog.format = \"json\"\n");
    ask();
    wait(|| (requests() == 1).then_some(())).expect("a line for the request");
    live.reload("log.level = \"warn,countersign_server::reload=info\"\nlog.format = \"json\"\n");
    ask();
    ask();
    assert_eq!(requests(), 1);
}

/// Whoever closes the terminal of `countersign serve` wants it gone, not reloaded.
#[test]
fn a_closed_terminal_stops_the_server() {
    let rig = Rig::new();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    // `setsid --ctty` makes the terminal that of the server, as a shell in a window does.
    let mut command = Command::new("setsid");
    let serve = rig.command(&["serve"]);
    command.arg("--ctty").arg(serve.get_program()).args(serve.get_args());
    command.current_dir(rig.folder.path()).env("COUNTERSIGN_LISTEN", rig.address.to_string());
    command.stdin(Stdio::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server::greeted(command);
    assert_eq!(rig.http("GET", "/healthz", "", "").unwrap().0, 200);
    drop(ours);
    let code = wait(|| server.child.try_wait().unwrap()).expect("it stops").code();
    assert_eq!(code, Some(0));
    assert!(!rig.data().join("admin.sock").exists());
}
