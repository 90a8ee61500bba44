//! `countersign serve`

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::rig::{PASSWORD, Rig, kill, mode, text};

/// The commands that the greeting prints, pasted into a shell word for word.
#[test]
fn the_printed_tour_works() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let tour: String = server
        .greeting
        .lines()
        .skip_while(|line| !line.starts_with("Try it"))
        .skip(1)
        .take_while(|line| !line.starts_with("Stop with"))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut shell = Command::new("bash").arg("-e").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(tour.as_bytes()).unwrap();
    let output = text(&shell.wait_with_output().unwrap().stdout);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 7, "{output}");
    assert!(lines[0].contains("registered"));
    assert!(lines[1].contains("\"access_token\":\"eyJ") && lines[1].contains("\"refresh_token\":\"rt1."));
    assert!(lines[2].contains("ada@example.com"));
    assert!(lines[3].contains("\"refresh_token\":\"rt1."));
    assert_eq!(lines[4], "204");
    assert!(lines[5].contains("invalid_grant") && lines[5].contains("refresh-revoked"));
    assert!(lines[6].contains("token-invalid"));
}

#[test]
fn it_drains_and_exits_with_0_and_leaves_private_files() {
    let rig = Rig::new();
    let mut server = rig.serve(&[]);
    assert_eq!(mode(&rig.data()), 0o700);
    assert_eq!(mode(&rig.data().join("kek")), 0o600);
    assert_eq!(mode(&rig.data().join("admin.sock")), 0o600);
    kill(server.child.id(), "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!rig.data().join("admin.sock").exists());
    // A second start finds everything as it was.
    let _again = rig.serve(&[]);
    assert_eq!(rig.http("GET", "/readyz", "", "").unwrap().0, 200);
}

/// Long enough that only the second signal can have ended it.
#[test]
fn a_server_that_drains_answers_everything_until_it_is_told_again() {
    let rig = Rig::new();
    let mut server = rig.serve(&[("COUNTERSIGN_DRAIN_FOR", "10m")]);
    for signal in ["-TERM", "-INT"] {
        assert!(server.child.try_wait().unwrap().is_none(), "{signal}");
        kill(server.child.id(), signal);
        if signal == "-TERM" {
            while rig.http("GET", "/readyz", "", "").unwrap().0 == 200 {}
            assert_eq!(rig.http("GET", "/healthz", "", "").unwrap().0, 200);
            let body = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
            assert_eq!(rig.json("/register", &body).unwrap().0, 201);
            assert_eq!(rig.json("/login", &body).unwrap().0, 200);
        }
    }
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    // Nobody has to tell it again.
    let mut server = rig.serve(&[("COUNTERSIGN_DRAIN_FOR", "100ms")]);
    kill(server.child.id(), "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_server_on_the_same_folder_refuses() {
    let rig = Rig::new();
    let server = rig.serve(&[]);
    let (_, err) = rig.expect(1, &["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:1"], "");
    assert!(err.contains("in use by another Countersign") && err.contains(&server.child.id().to_string()), "{err}");
}

#[test]
fn a_taken_port_is_named() {
    let rig = Rig::new();
    let _taken = std::net::TcpListener::bind(rig.address).unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains(&format!("cannot listen on {}", rig.address)), "{err}");
    assert!(!rig.data().exists(), "nothing was touched");
}

// KEY-01, KEY-08: nothing is made anew over what exists.
#[test]
fn a_missing_wrong_or_readable_key_encryption_key_stops_the_start() {
    let rig = Rig::new();
    drop(rig.serve(&[]));
    let kek = rig.data().join("kek");
    let good = std::fs::read(&kek).unwrap();
    Command::new("chmod").arg("644").arg(&kek).status().unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("chmod 600"), "{err}");
    std::fs::remove_file(&kek).unwrap();
    let (_, err) = rig.expect(1, &["serve"], "");
    assert!(err.contains("missing") && !kek.exists(), "{err}");
    std::fs::write(&kek, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    Command::new("chmod").arg("600").arg(&kek).status().unwrap();
    rig.expect(1, &["serve"], "");
    std::fs::write(&kek, good).unwrap();
    let _server = rig.serve(&[]);
}

#[test]
fn a_bad_configuration_is_a_usage_error_that_names_the_nearest_key() {
    let rig = Rig::new();
    let (_, err) = rig.expect(2, &["--set", "refresh.grase=1s", "serve"], "");
    assert!(err.contains("did you mean `refresh.grace`?"), "{err}");
    let (_, err) = rig.expect(2, &["serve", "--issuer", "http://id.example.com"], "");
    assert!(err.contains("plain http is allowed on localhost only"), "{err}");
}

/// Nothing configured: mails are files, for their owner alone, and doctor knows where.
#[test]
fn without_a_mail_server_a_mail_is_a_file() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    let body = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
    assert_eq!(rig.json("/register", &body).unwrap().0, 201);
    let folder = rig.data().join("mails");
    let written = || std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let whole = || written().find(|path| path.extension().is_some_and(|extension| extension == "eml"));
    // A minute, which only ends a broken test.
    let path = (0..6_000).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        whole()
    });
    let path = path.expect("the mail is written");
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    let link = format!("http://localhost:{}/ui/email/verify?token=", rig.address.port());
    assert!(std::fs::read_to_string(&path).unwrap().contains(&link));
    let (out, _) = rig.expect(0, &["doctor"], "");
    let line = out.lines().find(|line| line.contains(" mail ")).unwrap();
    assert!(line.starts_with("ok") && line.contains("written into") && line.contains("0 given up"), "{out}");
}

/// A mail server whose password is missing is noticed at the start, not with the first mail.
#[test]
fn a_mail_server_without_its_password_stops_the_start() {
    let rig = Rig::new();
    let set = ["serve", "--set", "mail.smtp=smtps://ada@mx.example"];
    let (_, err) = rig.expect(1, &set, "");
    assert!(err.contains("mail.password_file"), "{err}");
    assert!(!rig.data().join("countersign.db").exists());
}
