//! Traces and metrics for OpenTelemetry: what a receiver gets from the program, and what it must never get.
#![cfg(feature = "otel")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    trace::v1::Span,
};
use prost::Message;

use crate::{
    live::{Live, wait},
    rig::{PASSWORD, Rig, kill, member, text},
};

/// A receiver of OTLP over HTTP that keeps what it gets.
struct Collector {
    endpoint: String,
    posts: Receiver<(String, Vec<u8>)>,
}

/// All that it got until the server had stopped.
struct Got {
    spans: Vec<Span>,
    metrics: Vec<String>,
    bytes: Vec<u8>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, posts) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.unwrap());
                    while let Some(post) = post(&mut reader) {
                        // The test may be over.
                        let _ = sender.send(post);
                    }
                });
            }
        });
        Self { endpoint, posts }
    }

    fn got(self) -> Got {
        let mut got = Got { spans: Vec::new(), metrics: Vec::new(), bytes: Vec::new() };
        while let Ok((path, body)) = self.posts.recv_timeout(Duration::from_millis(200)) {
            if path == "/v1/traces" {
                let traces = ExportTraceServiceRequest::decode(&body[..]).unwrap();
                let scopes = traces.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                got.spans.extend(scopes.flat_map(|scope| scope.spans));
            } else {
                assert_eq!(path, "/v1/metrics");
                let metrics = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
                let scopes = metrics.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
                got.metrics.extend(scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name));
            }
            got.bytes.extend(body);
        }
        got
    }
}

fn post(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    write!(reader.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some((path, body))
}

impl Got {
    fn span(&self, name: &str) -> &Span {
        let found = self.spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| {
            panic!("no {name} in {:?}", self.spans.iter().map(|span| &span.name).collect::<Vec<_>>())
        })
    }

    fn children(&self, of: &Span) -> Vec<&str> {
        let below = |span: &&Span| span.parent_span_id == of.span_id && span.trace_id == of.trace_id;
        self.spans.iter().filter(below).map(|span| span.name.as_str()).collect()
    }
}

/// A sign-in, a refused one, and a request that brings a trace of somebody else's along.
fn visit(rig: &Rig) -> Vec<String> {
    let account = format!(r#"{{"email":"canary@example.com","password":"{PASSWORD}"}}"#);
    assert_eq!(rig.json("/register", &account).unwrap().0, 201);
    let (status, tokens) = rig.json("/login", &account).unwrap();
    assert_eq!(status, 200, "{tokens}");
    let wrong = r#"{"email":"canary@example.com","password":"canary-wrong-password"}"#;
    assert_eq!(rig.json("/login", wrong).unwrap().0, 401);
    let refresh = member(&tokens, "refresh_token");
    let form = format!("grant_type=refresh_token&client_id=first-party&refresh_token={refresh}&canary=query");
    let traced =
        "application/x-www-form-urlencoded\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(rig.http("POST", "/token", traced, &form).unwrap().0, 200);
    assert_eq!(rig.http("GET", "/nowhere/canary-path?canary=query", "text/plain", "").unwrap().0, 404);
    vec![
        "canary".to_owned(),
        PASSWORD.to_owned(),
        refresh,
        member(&tokens, "access_token"),
        member(&tokens, "sid"),
        "127.0.0.1".to_owned(),
    ]
}

fn served(variables: &[(&str, &str)]) -> (Got, Vec<String>, Rig) {
    let (rig, collector) = (Rig::new(), Collector::start());
    let endpoint = [("COUNTERSIGN_OTEL_ENDPOINT", collector.endpoint.as_str()), ("OTEL_METRIC_EXPORT_INTERVAL", "500")];
    let mut server = rig.serve(&[variables, &endpoint[..]].concat());
    let secrets = visit(&rig);
    kill(server.child.id(), "-TERM");
    assert!(server.child.wait().unwrap().success());
    (collector.got(), secrets, rig)
}

const THEIRS: [u8; 16] =
    [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];

// AUD-02: what is sent names routes and outcomes, and nobody.
#[test]
fn a_receiver_gets_spans_and_metrics_and_no_secret() {
    let (got, secrets, rig) = served(&[]);
    let login = got.span("POST /login");
    assert!(login.parent_span_id.is_empty());
    let below = got.children(login);
    for part in ["store.read", "store.write", "password.verify"] {
        assert!(below.contains(&part), "{below:?}");
    }
    let attribute = |name: &str| login.attributes.iter().any(|attribute| attribute.key == name);
    assert!(attribute("http.route") && attribute("http.response.status_code") && attribute("countersign.request_id"));
    // Nobody is a trusted proxy here.
    assert_ne!(got.span("POST /token").trace_id, THEIRS);
    for name in
        ["countersign_http_requests", "countersign_http_request_duration_seconds_sum", "countersign_connections"]
    {
        assert!(got.metrics.iter().any(|metric| metric == name), "{name}: {:?}", got.metrics);
    }
    let sent = text(&got.bytes);
    // The issuer's own address is no secret; it is on loopback here.
    let sent = sent.replace(&format!("http://{}", rig.address), "");
    for secret in secrets {
        assert!(!sent.contains(&secret), "{secret} was sent");
    }
}

// NET-02
#[test]
fn a_trusted_proxy_continues_its_trace_and_the_sample_is_kept() {
    let (got, ..) = served(&[("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1"), ("COUNTERSIGN_OTEL_SAMPLE", "0")]);
    let token = got.span("POST /token");
    assert_eq!((token.trace_id.as_slice(), token.parent_span_id.len()), (&THEIRS[..], 8));
    assert!(got.children(token).contains(&"store.write"), "{:?}", got.children(token));
    assert!(got.spans.iter().all(|span| span.trace_id == THEIRS), "only what its caller wants is traced at 0 %");
}

#[test]
fn a_receiver_that_is_away_stops_nothing_and_is_told_of_once() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let often = [("OTEL_METRIC_EXPORT_INTERVAL", "50".to_owned()), ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned())];
    let mut live = Live::start(&format!("otel.endpoint = \"http://{gone}\"\n"), &often);
    let said = || live.log().matches("otel.endpoint takes nothing").count();
    visit(&live.rig);
    wait(|| (said() > 0).then_some(())).expect("the log says it");
    for _ in 0..20 {
        assert_eq!(live.rig.http("GET", "/readyz", "", "").unwrap().0, 200);
    }
    assert_eq!(said(), 1);
    kill(live.server.child.id(), "-TERM");
    assert!(live.server.child.wait().unwrap().success());
    let (_, refused) = live.rig.expect(1, &["--set", "otel.endpoint=ftp://here", "config", "check"], "");
    assert!(refused.contains("otel.endpoint"), "{refused}");
}

/// The feature alone starts nothing: the threads of the SDK are not there.
#[test]
fn without_a_receiver_no_thread_of_it_runs() {
    let live = Live::start("", &[]);
    visit(&live.rig);
    let tasks = fs::read_dir(format!("/proc/{}/task", live.server.child.id())).unwrap().flatten();
    let names: Vec<_> = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect();
    assert!(names.len() > 1 && names.iter().all(|name| !name.contains("OpenTel")), "{names:?}");
}
