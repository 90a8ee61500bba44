//! By a real mail server that stalls and refuses at every stage: nothing is lost, and what was acknowledged is never sent again.

use std::time::Duration;

use countersign_server::mail;
use http::Method;
use serde_json::{Value, json};

use super::server::{MailServer, Taken, certificates};
use crate::{rig::Rig, support::postgres::Cluster};

const ADA: &str = "ada@example.com";
/// So long a stalled server is waited for; a server that answers is given as much.
const TIMEOUT: &str = "4s";

async fn rig(server: &MailServer, query: &str, more: &[(&'static str, &str)]) -> Rig {
    let url = format!("smtp://localhost:{}{query}", server.port);
    let mut settings = vec![("mail.smtp", url.as_str()), ("mail.timeout", TIMEOUT), ("mail.verification", "optional")];
    settings.extend(more);
    Rig::with(&settings).await
}

/// Rounds, and the time between them, until nothing waits.
async fn until_sent(rig: &Rig) {
    for _ in 0..100 {
        while mail::round(&rig.app).await.unwrap() > 0 {}
        if status(rig).await["waiting"] == 0 {
            return;
        }
        rig.advance(Duration::from_secs(60));
    }
    panic!("still waiting: {}", status(rig).await);
}

async fn status(rig: &Rig) -> Value {
    rig.admin(Method::GET, "/api/admin/status", &json!({})).await.expect(200).json()["mail"].clone()
}

fn the_one(taken: &[Taken]) -> &Taken {
    assert_eq!(taken.len(), 1, "{taken:?}");
    &taken[0]
}

#[tokio::test]
async fn a_server_gets_each_mail_once_in_one_conversation() {
    let server = MailServer::plain();
    let rig = rig(&server, "", &[("mail.from", "Example <no-reply@id.example>")]).await;
    for n in 0..5 {
        rig.register(&format!("n{n}@example.com")).await;
    }
    assert_eq!(mail::round(&rig.app).await.unwrap(), 5);
    assert_eq!(mail::round(&rig.app).await.unwrap(), 0);
    let taken = server.taken();
    let mut to: Vec<_> = taken.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort_unstable();
    assert_eq!(to, ["n0@example.com", "n1@example.com", "n2@example.com", "n3@example.com", "n4@example.com"]);
    assert_eq!(server.connections(), 1);
    for mail in &taken {
        assert_eq!(mail.from, "no-reply@id.example");
        assert!(
            mail.raw.contains("From: Example <no-reply@id.example>") && mail.raw.contains("/ui/email/verify?token=")
        );
    }
    let counts = status(&rig).await;
    assert_eq!((&counts["way"], &counts["waiting"], &counts["dead"]), (&json!("server"), &json!(0), &json!(0)));
    let metrics = rig.admin(Method::GET, "/metrics", &json!({})).await.body;
    assert!(metrics.contains("countersign_mails_total{outcome=\"delivered\"} 5"), "{metrics}");
}

/// What a server does once at a stage, and the mail is there all the same, once.
async fn survives(at: &'static str, what: &'static str, secure: bool) {
    let (server, query) = match secure {
        true => (MailServer::secure(&json!({ "user": "ada", "password": "s3cret" })), "?tls=required"),
        false => (MailServer::plain(), ""),
    };
    let folder = tempfile::tempdir().unwrap();
    let (ca, password) = (certificates().join("ca.pem").display().to_string(), folder.path().join("password"));
    std::fs::write(&password, "s3cret\n").unwrap();
    let (password, user) = (password.display().to_string(), format!("smtp://ada@localhost:{}{query}", server.port));
    let secured =
        [("mail.ca_file", ca.as_str()), ("mail.password_file", password.as_str()), ("mail.smtp", user.as_str())];
    let rig = rig(&server, query, if secure { &secured } else { &[] }).await;
    rig.register(ADA).await;
    server.behave(at, what, 1);
    assert_eq!(mail::round(&rig.app).await.unwrap(), 1, "{at} {what}");
    if at != "quit" {
        let counts = status(&rig).await;
        assert_eq!((&counts["waiting"], &counts["dead"]), (&json!(1), &json!(0)), "{at} {what}: {counts}");
        assert!(counts["problem"].is_string() && !counts["problem"].as_str().unwrap().contains(ADA), "{counts}");
        // It is not due before its time.
        assert_eq!(mail::round(&rig.app).await.unwrap(), 0);
    }
    until_sent(&rig).await;
    let taken = server.taken();
    assert!(taken.iter().all(|mail| mail.tls == secure), "{at} {what}");
    if at == "end" && !what.starts_with('4') {
        // The server has it, and its word was lost: it may come twice, as the same mail.
        assert_eq!(taken.len(), 2, "{at} {what}");
        assert_eq!(taken[0].message_id(), taken[1].message_id());
    } else {
        the_one(&taken);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_or_hangs_up_at_any_stage_gets_the_mail_later() {
    for at in ["connect", "ehlo", "mail", "rcpt", "data", "end"] {
        survives(at, "451 4.3.0 not now", false).await;
        survives(at, "close", false).await;
    }
    for at in ["starttls", "auth"] {
        survives(at, "454 4.7.0 not now", true).await;
        survives(at, "close", true).await;
    }
    // What our operator can mend is no reason to throw a mail away.
    survives("auth", "535 5.7.8 who are you?", true).await;
    survives("mail", "550 5.7.1 not from you", false).await;
    // After the acknowledgement nothing matters any more.
    survives("quit", "close", false).await;
    survives("quit", "550 no", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stalls_at_any_stage_gets_the_mail_later() {
    let plain = ["connect", "ehlo", "mail", "rcpt", "data", "end", "quit"].map(|at| survives(at, "stall", false));
    let secure = ["starttls", "auth"].map(|at| survives(at, "stall", true));
    futures_util::future::join(futures_util::future::join_all(plain), futures_util::future::join_all(secure)).await;
}

#[tokio::test]
async fn what_a_server_never_takes_is_a_dead_letter_at_once_and_others_go_on() {
    for at in ["rcpt", "data", "end"] {
        let server = MailServer::plain();
        let rig = rig(&server, "", &[]).await;
        rig.register(ADA).await;
        rig.register("bob@example.com").await;
        server.behave(at, "550 5.1.1 no such mailbox", 1);
        assert_eq!(mail::round(&rig.app).await.unwrap(), 2);
        let counts = status(&rig).await;
        assert_eq!((&counts["waiting"], &counts["dead"]), (&json!(0), &json!(1)), "{at}: {counts}");
        assert!(counts["problem"].as_str().unwrap().contains("550"), "{counts}");
        the_one(&server.taken());
    }
}

// Nothing is lost while the server is away, and it is not asked more often than it should be.
#[tokio::test]
async fn a_server_that_is_away_gets_everything_when_it_is_back() {
    let server = MailServer::plain();
    let rig = rig(&server, "", &[]).await;
    for n in 0..20 {
        rig.register(&format!("n{n}@example.com")).await;
    }
    server.behave("connect", "421 4.3.2 closed", 1_000);
    for _ in 0..10 {
        while mail::round(&rig.app).await.unwrap() > 0 {}
        rig.advance(Duration::from_secs(10));
    }
    let asked = server.connections();
    assert!(asked <= 10, "{asked} conversations in 100 s");
    assert_eq!(status(&rig).await["waiting"], 20);
    server.behave("connect", "220", 0);
    until_sent(&rig).await;
    let mut to: Vec<_> = server.taken().into_iter().flat_map(|mail| mail.to).collect();
    to.sort_unstable();
    to.dedup();
    assert_eq!((to.len(), server.taken().len()), (20, 20));
}

#[tokio::test]
async fn a_conversation_is_secret_where_it_must_be() {
    let ca = certificates().join("ca.pem").display().to_string();
    // TLS from the first byte, and by STARTTLS.
    for (scheme, query, implicit) in [("smtps", "", true), ("smtp", "?tls=required", false)] {
        let server = MailServer::secure(&json!({ "implicit": implicit }));
        let url = format!("{scheme}://localhost:{}{query}", server.port);
        let rig = rig(&server, "", &[("mail.smtp", &url), ("mail.ca_file", &ca)]).await;
        rig.register(ADA).await;
        until_sent(&rig).await;
        assert!(the_one(&server.taken()).tls);
    }
    // A certificate that nobody vouches for, and a server that offers no TLS although it must: nothing is sent.
    let (unknown, bare) = (MailServer::secure(&json!({})), MailServer::plain());
    for server in [&unknown, &bare] {
        let rig = rig(server, "?tls=required", &[]).await;
        rig.register(ADA).await;
        assert_eq!(mail::round(&rig.app).await.unwrap(), 1);
        let counts = status(&rig).await;
        assert!(counts["waiting"] == 1 && counts["problem"].as_str().unwrap().contains("STARTTLS"), "{counts}");
        assert!(server.taken().is_empty());
    }
}

// RFC 6531: an address in another script goes where the server takes it, and nowhere else.
#[tokio::test]
async fn an_address_in_another_script_needs_a_server_that_takes_it() {
    for takes in [true, false] {
        let server = MailServer::start(&json!({ "smtputf8": takes }));
        let rig = rig(&server, "", &[]).await;
        rig.register("名前@example.com").await;
        assert_eq!(mail::round(&rig.app).await.unwrap(), 1);
        let counts = status(&rig).await;
        assert_eq!(counts["dead"], u32::from(!takes), "{counts}");
        assert_eq!(server.taken().len(), usize::from(takes));
    }
}

// Two replicas share one outbox: each mail is sent by one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_send_each_mail_once() {
    let server = MailServer::plain();
    let (database, url) = (Cluster::shared().create_database().await, format!("smtp://localhost:{}", server.port));
    let settings = [("mail.smtp", url.as_str()), ("mail.verification", "optional")];
    let first = Rig::on(&database, &settings).await;
    for n in 0..40 {
        first.register(&format!("n{n}@example.com")).await;
    }
    let kek = first.folder.path().join("data/kek").display().to_string();
    let more = [("mail.smtp", url.as_str()), ("mail.verification", "optional"), ("keys.kek_file", kek.as_str())];
    let second = Rig::on(&database, &more).await;
    let send = async |rig: &Rig| while mail::round(&rig.app).await.unwrap() > 0 {};
    tokio::join!(send(&first), send(&second));
    let mut ids: Vec<_> = server.taken().iter().map(|mail| mail.message_id().to_owned()).collect();
    assert_eq!(ids.len(), 40);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}
