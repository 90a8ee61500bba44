//! `POST /register`

use serde_json::json;

use crate::{
    both,
    rig::{PASSWORD, Rig},
};

both! {
    // LOG-05: nobody learns who has an account.
    async fn a_known_address_gets_the_same_answer(rig: Rig) {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let first = rig.post("/register").json(&body).send().await.expect(201);
        let other = json!({ "email": "ADA@example.com", "password": "another long enough sentence" });
        let second = rig.post("/register").json(&other).send().await.expect(201);
        assert_eq!(first.body, second.body);
        // The first password is still the one.
        rig.login("ada@example.com").await.expect(200);
    }
}

// LOG-02, LOG-03
#[tokio::test]
async fn weak_passwords_are_refused_with_the_reason() {
    let rig = Rig::sqlite().await;
    for (password, code) in [
        ("short", "password-too-short"),
        ("passwordpassword", "password-common"),
        ("aaaaaaaaaaaaaaaaaaaa", "password-common"),
        (&"x".repeat(1025), "password-too-long"),
    ] {
        let body = json!({ "email": "ada@example.com", "password": password });
        let answer = rig.post("/register").json(&body).send().await.refused(422, code);
        assert_eq!(answer.json()["errors"][0]["field"], "password");
    }
    let body = json!({ "email": "ada@example.com", "password": "only 14 chars!" });
    let answer = rig.post("/register").json(&body).send().await;
    assert!(answer.text("detail").contains("at least 15 characters; it has 14"), "{}", answer.body);
    let body = json!({ "email": "not an address", "password": PASSWORD });
    rig.post("/register").json(&body).send().await.refused(422, "invalid-email");
}

#[tokio::test]
async fn a_closed_issuer_takes_nobody() {
    let rig = Rig::with(&[("registration", "closed")]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    rig.post("/register").json(&body).send().await.refused(403, "registration-closed");
}

// CSR-07, NET-03, TOK-09: bad input gets the documented error.
#[tokio::test]
async fn bad_bodies_have_their_own_codes() {
    let rig = Rig::sqlite().await;
    let post = |kind: &str, body: String| rig.post("/register").raw(kind, body).send();
    post("application/json", "{".to_owned()).await.refused(400, "malformed-json");
    post("application/json", "[]".to_owned()).await.refused(400, "malformed-json");
    let twice = r#"{"email":"a@example.com","email":"b@example.com","password":"x"}"#;
    post("application/json", twice.to_owned()).await.refused(400, "malformed-json");
    post("text/plain", "{}".to_owned()).await.refused(415, "wrong-content-type");
    post("application/x-www-form-urlencoded", "a=b".to_owned()).await.refused(415, "wrong-content-type");
    post("application/json", format!("\"{}\"", "x".repeat(9000))).await.refused(413, "body-too-large");
}
