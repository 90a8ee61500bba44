//! What waits in the store: written with what it tells of, worth nothing to a thief of the database, given up after its time.

use std::time::Duration;

use countersign_server::{mail, store::mails};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    mailbox::letters,
    rig::{PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";

async fn status(rig: &Rig) -> Value {
    rig.admin(Method::GET, "/api/admin/status", &json!({})).await.expect(200).json()["mail"].clone()
}

async fn count(rig: &Rig, sql: &'static str) -> i64 {
    let row = rig.app.store.read(move |tx| Box::pin(async move { tx.fetch_optional(sql, &[]).await }));
    row.await.unwrap().unwrap().get(0).unwrap()
}

/// A mail server that nobody runs.
const NOWHERE: &[(&str, &str)] = &[("mail.smtp", "smtp://127.0.0.1:1"), ("mail.verification", "optional")];

both! {
    // LOG-09, KEY-01: the database holds a hash of the token, and its sealed form until it was sent.
    async fn a_stolen_row_opens_nothing(rig: Rig) {
        rig.register(ADA).await;
        let sealed = "SELECT COUNT(*) FROM mails WHERE sealed IS NOT NULL AND length(sealed) > 43";
        assert_eq!(count(&rig, sealed).await, 1);
        let row = rig.app.store.read(|tx| {
            Box::pin(async move { tx.fetch_optional("SELECT m.sealed, t.id FROM mails m, mail_tokens t", &[]).await })
        });
        let row = row.await.unwrap().unwrap();
        let (sealed, id): (Vec<u8>, Vec<u8>) = (row.get(0).unwrap(), row.get(1).unwrap());
        let token = letters(&rig).await.remove(0).token();
        let holds = |bytes: &[u8]| bytes.windows(8).any(|part| token.as_bytes().windows(8).any(|other| other == part));
        assert!(!holds(&sealed) && !holds(&id));
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM mails").await, 0);
    }

    // AUD-04: what was rolled back tells nobody; what is told was committed with what it tells of.
    async fn a_mail_is_written_with_what_it_tells_of(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        let wrong = json!({ "current_password": "wrong horse battery staple", "new_password": "seven green parrots sang" });
        rig.post("/password/change").json(&wrong).bearer(&user.access).send().await.refused(401, "invalid-credentials");
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM mails").await, 0);
        let right = json!({ "current_password": PASSWORD, "new_password": "seven green parrots sang" });
        rig.post("/password/change").json(&right).bearer(&user.access).send().await.expect(204);
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM mails").await, 1);
        let told = letters(&rig).await;
        assert!(told.len() == 1 && told[0].subject.contains("was changed"), "{told:?}");
    }
}

// The written limit: a link for as long as it is good, a notice for two days; then a dead letter, without its secret.
#[tokio::test]
async fn what_nobody_takes_is_given_up_after_its_time() {
    let rig = Rig::with(NOWHERE).await;
    let user = rig.user(ADA).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "seven green parrots sang" });
    rig.post("/password/change").json(&change).bearer(&user.access).send().await.expect(204);
    let mut rounds = Vec::new();
    for second in (0..3 * 24 * 3600_u32).step_by(10) {
        if mail::round(&rig.app).await.unwrap() > 0 {
            let counts = status(&rig).await;
            rounds.push((second, counts["waiting"].as_i64().unwrap(), counts["dead"].as_i64().unwrap()));
        }
        rig.advance(Duration::from_secs(10));
        if rounds.last().is_some_and(|(_, waiting, _)| *waiting == 0) {
            break;
        }
    }
    let first_dead = rounds.iter().find(|(.., dead)| *dead == 1).unwrap().0;
    let both_dead = rounds.iter().find(|(.., dead)| *dead == 2).unwrap().0;
    assert!((1800..=3600).contains(&first_dead), "{first_dead}");
    assert!((40 * 3600..=48 * 3600).contains(&both_dead), "{both_dead}");
    assert_eq!(count(&rig, "SELECT COUNT(*) FROM mails WHERE sealed IS NOT NULL").await, 0);
    let counts = status(&rig).await;
    assert!(counts["problem"].as_str().unwrap().contains("at the connection"), "{counts}");
    let metrics = rig.admin(Method::GET, "/metrics", &json!({})).await.body;
    assert!(metrics.contains("countersign_mails_dead 2") && metrics.contains("outcome=\"dead\"} 2"), "{metrics}");
}

// RLO-04's sibling: whoever took mails and died loses none.
#[tokio::test]
async fn what_was_taken_and_not_sent_is_sent_after_the_next_start() {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    let now = rig.app.clock.now();
    let lease = Duration::from_mins(11);
    let taken = rig.app.store.write(move |tx| Box::pin(mails::take(tx, now, lease, 32)));
    assert_eq!(taken.await.unwrap().len(), 1);
    let rig = rig.restart().await;
    assert!(letters(&rig).await.is_empty());
    rig.advance(lease);
    assert_eq!(letters(&rig).await.len(), 1);
    assert!(letters(&rig).await.is_empty());
}
