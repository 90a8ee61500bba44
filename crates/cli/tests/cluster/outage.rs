//! The database does not answer, in each way: what needs it is refused politely and in time, what does not need it goes on, and
//! afterwards everything is as before.

use std::{thread, time::Duration};

use countersign_verify::{Profile, Verifier};
use serde_json::json;

use crate::{
    daemon::{alone, free_address, wait},
    fleet::{Answer, FORM, Fleet, JSON, Tokens},
    postgres::{Cluster, execute},
    proxy::{Mode, Proxy},
    rig::{PASSWORD, member},
};

const EMAIL: &str = "ada@example.com";
const MODES: [Mode; 3] = [Mode::Refuse, Mode::Hang, Mode::Slow(Duration::from_secs(3))];

/// Registers a service of the audience; its credentials in a form.
fn service(fleet: &Fleet) -> String {
    let add =
        ["client", "add", "stock", "--grant", "client_credentials", "--audience", "api", "--serves", "api", "--json"];
    let (code, out) = fleet.replicas[0].run(&add);
    assert_eq!(code, Some(0), "{out}");
    format!("client_id=stock&client_secret={}", member(&out, "client_secret"))
}

fn revocation(doomed: &Tokens) -> String {
    format!("client_id=first-party&token={}", doomed.refresh)
}

/// What needs the database, all at the same time: each answer, or none. `doomed` is a session that is handed back.
fn ask_all(fleet: &Fleet, [tokens, doomed]: [&Tokens; 2], service: &str) -> Vec<(&'static str, Option<Answer>)> {
    let replica = &fleet.replicas[0];
    let person = |email: &str| json!({ "email": email, "password": PASSWORD }).to_string();
    let bearer = format!("authorization: Bearer {}", tokens.access);
    let session = ["GET", "/session", &bearer, ""];
    let refresh = format!("grant_type=refresh_token&client_id=first-party&refresh_token={}", tokens.refresh);
    let (login, register) = (person(EMAIL), person("new@example.com"));
    let (revoke, introspect) = (revocation(doomed), format!("{service}&token={}", tokens.access));
    let requests = [
        ("revoke", ["POST", "/revoke", FORM, &revoke]),
        ("introspect", ["POST", "/introspect", FORM, &introspect]),
        ("sign-in", ["POST", "/login", JSON, &login]),
        ("register", ["POST", "/register", JSON, &register]),
        ("refresh", ["POST", "/token", FORM, &refresh]),
        ("session", session),
        ("ready", ["GET", "/readyz", JSON, ""]),
    ];
    thread::scope(|scope| {
        let asked = requests.map(|(name, [method, path, header, body])| {
            scope.spawn(move || (name, replica.ask(method, path, &[header], body)))
        });
        asked.into_iter().map(|answer| answer.join().unwrap()).collect()
    })
}

/// I-12, and the deadline: `ask` waits for longer than the server may.
#[test]
fn whatever_the_database_does_an_answer_comes_in_time_and_verifiers_go_on() {
    let _alone = alone();
    let port = free_address().port();
    let cluster = Cluster::start(&format!("listen_addresses = '127.0.0.1'\nport = {port}\n"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(execute(&cluster.url_at(port, "postgres"), "CREATE DATABASE outage"));
    let proxy = Proxy::start(([127, 0, 0, 1], port).into());
    let url = format!("postgres://postgres@{}/outage", proxy.address);
    let fleet = Fleet::start(&[url.as_str()], &[]);
    fleet.person(EMAIL);
    let mut tokens = fleet.sign_in(EMAIL);
    let verifier = runtime.block_on(async {
        let verifier = Verifier::builder(&fleet.issuer).audience("api").profile(Profile::Available).build().unwrap();
        verifier.ready().await.unwrap();
        verifier
    });
    let service = service(&fleet);
    for mode in MODES {
        let doomed = fleet.sign_in(EMAIL);
        let mut revoked = false;
        proxy.set(mode);
        for (name, answer) in ask_all(&fleet, [&tokens, &doomed], &service) {
            let answer = answer.unwrap_or_else(|| panic!("{mode:?}: {name} was not answered in time"));
            // What is slow may come to its end in time.
            let done = matches!(mode, Mode::Slow(_)) && answer.status < 300;
            let polite = answer.status == 503 && answer.retry_after;
            assert!(done || polite, "{mode:?}: {name}: {answer:?}");
            revoked |= name == "revoke" && done;
            println!("{mode:?}: {name}: {}", answer.status);
        }
        for path in ["/healthz", "/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            assert_eq!(fleet.replicas[0].ask("GET", path, &[], "").unwrap().status, 200, "{mode:?}: {path}");
        }
        verifier.verify(&tokens.access).unwrap();
        proxy.set(Mode::Pass);
        wait(&|| "it does not recover".to_owned(), || {
            let answer = fleet.replicas[0].ask("GET", "/readyz", &[], "");
            answer.is_some_and(|answer| answer.status == 200)
        });
        // I-4: what was said to be revoked is; where nobody knows, it can be said again.
        let again = |body: &str, path| fleet.replicas[0].ask("POST", path, &[FORM], body).map(|answer| answer.status);
        if !revoked {
            wait(&|| "nobody can revoke".to_owned(), || again(&revocation(&doomed), "/revoke") == Some(200));
        }
        wait(&|| format!("{mode:?}: a session that was handed back goes on"), || {
            let Some(answer) = fleet.refresh(&doomed.refresh) else { return false };
            assert!(matches!(answer.status, 400 | 503), "{mode:?}: {answer:?}");
            answer.body.contains("invalid_grant")
        });
        // I-2: whatever became of the refresh, the client's next try succeeds.
        wait(&|| "nobody can refresh".to_owned(), || {
            let Some(answer) = fleet.refresh(&tokens.refresh) else { return false };
            assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
            if answer.status == 200 {
                tokens.refresh = member(&answer.body, "refresh_token");
                tokens.access = member(&answer.body, "access_token");
            }
            answer.status == 200
        });
    }
}
