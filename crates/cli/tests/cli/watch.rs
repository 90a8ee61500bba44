//! `countersign watch`, and stopping while somebody reads the feed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::rig::{PASSWORD, Rig, kill, member};

/// Killed when it is dropped.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends a session of a new user; its name.
fn sign_out(rig: &Rig) {
    let account = format!("{{\"email\":\"ada@example.com\",\"password\":\"{PASSWORD}\"}}");
    rig.json("/register", &account).unwrap();
    let (status, tokens) = rig.json("/login", &account).unwrap();
    assert_eq!(status, 200, "{tokens}");
    let refresh = member(&tokens, "refresh_token");
    assert_eq!(rig.json("/logout", &format!("{{\"refresh_token\":\"{refresh}\"}}")).unwrap().0, 204);
}

#[test]
fn it_shows_what_is_revoked_as_json_lines() {
    let rig = Rig::new();
    let (_, err) = rig.expect(3, &["watch"], "");
    assert!(err.contains("there is no data folder"), "{err}");
    let _server = rig.serve(&[]);
    let mut child = Watching(rig.command(&["--json", "watch"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!((&first["fresh"], first["head"].is_i64()), (&Value::Bool(true), true), "{first}");
    sign_out(&rig);
    let told = loop {
        let line = next();
        if line["revocations"].as_array().is_some_and(|news| !news.is_empty()) {
            break line;
        }
    };
    assert_eq!(told["revocations"][0]["kind"], "session");
    assert_eq!(told["revocations"][0]["rsn"], told["head"]);
    assert_eq!(told["revocations"][0]["id"].as_str().map(str::len), Some(22));
}

#[test]
fn a_stop_ends_streams_in_good_order() {
    let rig = Rig::new();
    let mut server = rig.serve(&[]);
    let mut stream = TcpStream::connect(rig.address).unwrap();
    let request = "GET /revocations/0 HTTP/1.0\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.0 200 OK");
    kill(server.child.id(), "-TERM");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("data: eyJ") && rest.ends_with("event: end\ndata: closing\n\n"), "{rest}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_relay_is_for_loopback_unless_it_is_said() {
    let rig = Rig::new();
    let (_, err) = rig.expect(2, &["relay", "--upstream", "https://id.example", "--listen", "0.0.0.0:0"], "");
    assert!(err.contains("--open"), "{err}");
    let (_, err) = rig.expect(2, &["relay", "--upstream", "https://id.example/feed"], "");
    assert!(err.contains("without a path"), "{err}");
}
