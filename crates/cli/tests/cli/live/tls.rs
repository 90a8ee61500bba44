//! TLS of our own (NET-01), with the same limits as without (NET-03, NET-04).

use std::{
    collections::HashSet,
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use super::{
    Live,
    certificates::{Authority, connect, get, shown, write_private},
    wait,
};
use crate::rig::{Rig, kill, text};

const CONFIGURATION: &str = r#"
issuer = "https://localhost:PORT"
tls.certificate = "FOLDER/cert.pem"
tls.key = "FOLDER/key.pem"
"#;

fn start(authority: &Authority, more: &str) -> Live {
    let prepare = |rig: &Rig| {
        authority.issue(rig.folder.path(), &["localhost"]);
    };
    Live::prepared(prepare, &format!("{CONFIGURATION}{more}"))
}

// NET-01
#[test]
fn it_speaks_tls_1_2_and_1_3_and_both_versions_of_http() {
    let authority = Authority::new();
    let live = start(&authority, "");
    for (version, spoken) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut line = connect(live.rig.address, &authority.client(&[version], &["http/1.1"])).unwrap();
        let (head, body) = get(&mut line, "/readyz").unwrap();
        assert!(head.starts_with("http/1.1 200") && body.contains("ready"), "{head}{body}");
        assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
        assert_eq!(line.conn.protocol_version(), Some(spoken));
        assert_eq!(line.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let line = connect(live.rig.address, &authority.client(&[&TLS13], &["h2", "http/1.1"])).unwrap();
    assert_eq!(line.conn.alpn_protocol(), Some(&b"h2"[..]));
    assert!(connect(live.rig.address, &authority.client(&[&TLS13], &["spdy/3"])).is_err());
    // A program of other people speaks HTTP/2 over it, and nobody speaks what is older than TLS 1.2.
    let curl = |more: &[&str]| {
        let output = Command::new("curl")
            .args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert"])
            .arg(live.path("ca.pem"))
            .args(more)
            .arg(format!("https://localhost:{}/healthz", live.rig.address.port()))
            .output()
            .unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    assert_eq!(curl(&["--http2"]), (true, "200 2".to_owned()));
    assert_eq!(curl(&["--http1.1"]), (true, "200 1.1".to_owned()));
    assert!(!curl(&["--tls-max", "1.1"]).0);
    // Whoever comes without TLS is not led anywhere: a token in such a request was already told to everybody.
    let plain = live.rig.http("GET", "/healthz", "text/plain", "");
    assert_eq!(plain, None);
}

/// A handshake that never ends, and a request that never comes, hold a connection as long as without TLS.
// NET-03
#[test]
fn whoever_connects_and_says_nothing_is_cut_off() {
    let authority = Authority::new();
    let live = start(&authority, "limits.connections_per_address = 3\n");
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(live.rig.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    // Nothing at all; the beginning of a handshake; and one that is done, after which no request comes.
    let (mut silent, mut begun) = (open(b""), open(&[22, 3, 1, 1, 0, 1]));
    let client = authority.client(&[&TLS13], &["http/1.1"]);
    let mut done = connect(live.rig.address, &client).unwrap();
    // Those who are in the middle of it count.
    assert!(connect(live.rig.address, &client).is_err(), "a fourth connection from one address");
    let mut rest = Vec::new();
    for stream in [&mut silent, &mut begun] {
        // Cut off: the end, or a reset. A time-out would be neither.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
    assert!(rest.is_empty());
    let ended = done.read_to_end(&mut rest);
    assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock));
    assert!(wait(|| connect(live.rig.address, &client).ok()).is_some(), "there is room again");
}

// NET-03
#[test]
fn heads_are_as_short_over_tls_as_without() {
    let authority = Authority::new();
    let live = start(&authority, "");
    let mut line = connect(live.rig.address, &authority.client(&[&TLS13], &["http/1.1"])).unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    // The server may have answered and closed before all was sent.
    let _ = line.write_all(head.as_bytes()).and_then(|()| line.flush());
    let mut answer = [0; 12];
    line.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
}

/// Four clients that connect anew each time, and one that stays, while the certificate is renewed six times.
#[test]
fn a_certificate_is_renewed_under_load_and_no_request_fails() {
    let authority = Authority::new();
    let live = start(&authority, "");
    let client = authority.client(&[&TLS12, &TLS13], &["http/1.1"]);
    let (over, served, seen) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(HashSet::new()));
    let mut issued = HashSet::from([shown(&connect(live.rig.address, &client).unwrap()).to_vec()]);
    // The load ends with the test, also where that fails.
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut line = connect(live.rig.address, &client).unwrap();
                    let (head, _) = get(&mut line, "/readyz").unwrap();
                    assert!(head.starts_with("http/1.1 200"), "{head}");
                    seen.lock().unwrap().insert(shown(&line).to_vec());
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            let mut line = connect(live.rig.address, &client).unwrap();
            while !over.load(Ordering::Relaxed) {
                let (head, _) = get(&mut line, "/.well-known/jwks.json").unwrap();
                assert!(head.starts_with("http/1.1 200"), "{head}");
            }
        });
        for _ in 0..6 {
            let new = authority.issue(live.rig.folder.path(), &["localhost"]);
            let log = live.hang_up();
            assert!(log.contains("were read anew"), "{log}");
            // From the word on, nobody is shown the old one.
            assert_eq!(shown(&connect(live.rig.address, &client).unwrap()), new);
            issued.insert(new.to_vec());
            let before = served.load(Ordering::Relaxed);
            wait(|| (served.load(Ordering::Relaxed) > before + 20).then_some(())).expect("requests go on");
        }
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(issued.len(), 7);
    assert!(seen.len() >= 6 && seen.is_subset(&issued), "{} of {}", seen.len(), issued.len());
}

#[test]
fn files_that_cannot_be_used_change_nothing_and_are_named() {
    let authority = Authority::new();
    let live = start(&authority, "");
    let client = authority.client(&[&TLS13], &["http/1.1"]);
    let first = shown(&connect(live.rig.address, &client).unwrap());
    let (cert, key) = (live.path("cert.pem"), live.path("key.pem"));
    let good = (fs::read_to_string(&cert).unwrap(), fs::read_to_string(&key).unwrap());
    let another = {
        let folder = tempfile::tempdir().unwrap();
        authority.issue(folder.path(), &["localhost"]);
        fs::read_to_string(folder.path().join("key.pem")).unwrap()
    };
    let half = &good.0[..good.0.len() / 2];
    for (path, bad, said) in [
        (&cert, "", "holds no certificate in PEM"),
        (&cert, half, "tls.certificate"),
        (&key, "garbage", "holds no private key in PEM"),
        (&key, &another, "cannot be used"),
    ] {
        write_private(path, bad);
        let log = live.hang_up();
        assert!(log.contains("was not read anew") && log.contains(said), "{said}: {log}");
        assert_eq!(shown(&connect(live.rig.address, &client).unwrap()), first, "{said}");
        write_private(&cert, &good.0);
        write_private(&key, &good.1);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(live.hang_up().contains("run: chmod o-rwx"));
    fs::remove_file(&key).unwrap();
    assert!(live.hang_up().contains("cannot read tls.key"));
    assert!(live.event("sys_config_refused")["detail"]["reason"].as_str().unwrap().contains("tls.key"));
    let metrics = live.rig.admin("GET", "/metrics", "").unwrap().1;
    assert!(metrics.contains("countersign_config_reload_successful 0"), "{metrics}");
    write_private(&key, &good.1);
    assert!(live.hang_up().contains("were read anew"));
    let metrics = live.rig.admin("GET", "/metrics", "").unwrap().1;
    assert!(metrics.contains("countersign_config_reload_successful 1"), "{metrics}");
    assert!(!metrics.contains("countersign_tls_certificate_expires_timestamp_seconds 0"), "{metrics}");
    // The same mistakes stop a start.
    kill(live.server.child.id(), "-TERM");
    wait(|| (!live.rig.data().join("admin.sock").exists()).then_some(())).unwrap();
    fs::write(&cert, "").unwrap();
    let (_, err) = wait(|| {
        let output = live.rig.run(&["serve"], "");
        (output.status.code() == Some(1)).then(|| (text(&output.stdout), text(&output.stderr)))
    })
    .unwrap();
    assert!(err.contains("holds no certificate in PEM"), "{err}");
}

#[test]
fn tls_is_switched_on_while_it_runs() {
    let authority = Authority::new();
    let live = Live::prepared(
        |rig| {
            authority.issue(rig.folder.path(), &["localhost"]);
        },
        "issuer = \"https://localhost:PORT\"\n",
    );
    assert_eq!(live.rig.http("GET", "/healthz", "", "").unwrap().0, 200);
    assert!(live.reload(CONFIGURATION).contains("were read anew"));
    let client = authority.client(&[&TLS13], &["http/1.1"]);
    assert!(get(&mut connect(live.rig.address, &client).unwrap(), "/healthz").unwrap().0.contains(" 200"));
    assert_eq!(live.rig.http("GET", "/healthz", "", ""), None);
}
