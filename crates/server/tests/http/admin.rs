//! `/api/admin/…`

use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    rig::{PASSWORD, Rig},
};

both! {
    async fn users_are_added_listed_disabled_and_enabled(rig: Rig) {
        for name in ["ada", "bob", "cyd"] {
            let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "roles": ["buyer"] });
            let user = rig.admin(Method::POST, "/api/admin/users", &body).await.expect(201).json();
            assert_eq!(user["roles"], json!(["buyer"]));
        }
        let again = json!({ "email": "ADA@example.com", "password": PASSWORD });
        rig.admin(Method::POST, "/api/admin/users", &again).await.refused(409, "conflict");
        let page = rig.admin(Method::GET, "/api/admin/users?limit=2", &json!({})).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        let next = page["next"].as_str().unwrap();
        let page = rig.admin(Method::GET, &format!("/api/admin/users?limit=2&after={next}"), &json!({})).await.expect(200).json();
        assert_eq!((page["items"][0]["email"].as_str(), &page["next"]), (Some("cyd@example.com"), &Value::Null));
        rig.admin(Method::GET, "/api/admin/users?surprise=1", &json!({})).await.refused(400, "malformed-form");

        let user = rig.login("ada@example.com").await.expect(200).text("access_token");
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        rig.session(&user).await.refused(401, "token-invalid");
        rig.login("ada@example.com").await.refused(401, "invalid-credentials");
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/enable", &json!({})).await.expect(200);
        rig.session(&user).await.refused(401, "token-invalid");
        rig.login("ada@example.com").await.expect(200);
        rig.admin(Method::GET, "/api/admin/users/nobody@example.com", &json!({})).await.refused(404, "not-found");
    }

    // ADM-07
    async fn the_last_administrator_stays(rig: Rig) {
        rig.administrator().await;
        let root = "/api/admin/users/root@example.com";
        rig.admin(Method::POST, &format!("{root}/disable"), &json!({})).await.refused(409, "last-admin");
        rig.admin(Method::PUT, &format!("{root}/roles"), &json!({ "roles": [] })).await.refused(409, "last-admin");
        rig.register("ada@example.com").await;
        rig.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", &json!({ "roles": ["admin@admin"] })).await.expect(200);
        rig.admin(Method::PUT, &format!("{root}/roles"), &json!({ "roles": [] })).await.expect(200);
    }

    // AUD-04, I-10: one event for each change.
    async fn changes_leave_one_event_each(rig: Rig) {
        rig.register("ada@example.com").await;
        rig.login("ada@example.com").await.expect(200);
        let wrong = json!({ "email": "ada@example.com", "password": "wrong horse battery staple" });
        rig.post("/login").json(&wrong).send().await.expect(401);
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        let page = rig.admin(Method::GET, "/api/admin/audit?user=ada@example.com", &json!({})).await.expect(200).json();
        let mut events: Vec<_> = page["items"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
        events.sort_unstable();
        assert_eq!(events, ["authn_login_fail", "authn_login_success", "user_archived", "user_created"]);
        assert!(page["items"].as_array().unwrap().iter().any(|event| event["actor"] == "local"));
    }

    async fn a_session_is_ended_from_afar(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let ended = rig.admin(Method::DELETE, &format!("/api/admin/sessions/{}", user.sid), &json!({})).await.expect(200);
        assert_eq!(ended.text("ended_reason"), "admin");
        rig.session(&user.access).await.refused(401, "token-invalid");
        rig.refresh(&user.refresh).await.refused(400, "refresh-revoked");
        rig.admin(Method::DELETE, "/api/admin/sessions/nothing", &json!({})).await.refused(404, "not-found");
    }

    // KEY-02: nothing signs before it was published; what is out stays good.
    async fn keys_rotate_without_an_interruption(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let keys = rig.admin(Method::POST, "/api/admin/keys/rotate", &json!({})).await.expect(200).json();
        let states: Vec<_> = keys["items"].as_array().unwrap().iter().filter(|key| key["purpose"] == "token").map(|key| key["state"].as_str().unwrap()).collect();
        assert!(states.contains(&"active") && states.contains(&"published"), "{states:?}");
        let published = rig.get("/.well-known/jwks.json").send().await.json();
        assert_eq!(published["keys"].as_array().unwrap().len(), 2);
        rig.session(&user.access).await.expect(200);
        rig.admin(Method::POST, "/api/admin/keys/rotate", &json!({ "now": true })).await.expect(200);
        let fresh = rig.refresh(&user.refresh).await.expect(200).text("access_token");
        assert_ne!(fresh.split('.').next(), user.access.split('.').next());
        rig.session(&user.access).await.expect(200);
        rig.session(&fresh).await.expect(200);
    }

    async fn a_password_set_by_the_operator_ends_everything(rig: Rig) {
        let user = rig.user("ada@example.com").await;
        let body = json!({ "password": "seven green parrots sang" });
        rig.admin(Method::PUT, "/api/admin/users/ada@example.com/password", &body).await.expect(200);
        rig.session(&user.access).await.refused(401, "token-invalid");
        rig.login("ada@example.com").await.refused(401, "invalid-credentials");
    }

    async fn status_tells_what_doctor_needs(rig: Rig) {
        rig.register("ada@example.com").await;
        let status = rig.admin(Method::GET, "/api/admin/status", &json!({})).await.expect(200).json();
        assert_eq!((status["users"].as_i64(), status["schema"].as_i64()), (Some(1), Some(1)));
    }
}

#[tokio::test]
async fn lifetimes_beyond_the_issuers_are_refused() {
    let rig = Rig::sqlite().await;
    for (field, seconds) in
        [("access_token_ttl", 3601), ("refresh_idle", 90 * 86400 + 1), ("refresh_absolute", 90 * 86400 + 1)]
    {
        let mut body = json!({ "client_id": "app", "grants": ["client_credentials"], "audiences": ["api"] });
        body[field] = json!(seconds);
        let answer = rig.admin(Method::POST, "/api/admin/clients", &body).await.refused(422, "invalid-value");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    for seconds in [0, 3601] {
        let body = json!({ "audience": "orders", "access_token_ttl": seconds });
        rig.admin(Method::POST, "/api/admin/audiences", &body).await.refused(422, "invalid-value");
    }
}

// LOG-01, ADM-04: accounts of another program; the way out is the local socket's alone, since it shows hashes.
#[tokio::test]
async fn accounts_are_taken_over() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let users = json!([
        { "email": "ADA@example.com" },
        { "email": "bob@example.com", "password_hash": "$2b$05$kGfHaSfejNlzErsnCII6iOycOZX.8tzLJ3rsM2G8wmCPPELUIoE/C" },
        { "email": "cyd@example.com", "password_hash": "$2b$31$kGfHaSfejNlzErsnCII6iOycOZX.8tzLJ3rsM2G8wmCPPELUIoE/C" },
        { "email": "dan@example.com", "roles": ["bad role"] },
        { "email": "eve@example.com", "created_at": "2999-01-01T00:00:00Z" },
        { "email": "fay@example.com", "user_id": "usr_x" },
        { "email": "gil@example.com", "surprise": 1 },
        { "email": "bob@EXAMPLE.com" },
    ]);
    let import = async |dry_run: bool| {
        let body = json!({ "users": users, "dry_run": dry_run });
        rig.admin(Method::POST, "/api/admin/users/import", &body).await.expect(200).json()
    };
    assert_eq!(import(true).await["added"], 2, "nobody looks into the same call twice");
    let done = import(false).await;
    assert_eq!(done["added"], 1);
    let why = |index: usize| done["not_added"][index]["why"].as_str().unwrap().to_owned();
    assert_eq!((why(0), why(1), why(6)), ("exists".into(), "refused".into(), "exists".into()));
    let words = done["not_added"].to_string();
    for said in ["out of bounds", "roles:", "created_at:", "user_id:", "surprise"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let many = json!({ "users": vec![json!({ "email": "x@example.com" }); 1001] });
    rig.admin(Method::POST, "/api/admin/users/import", &many).await.refused(422, "invalid-value");
    let body = json!({ "email": "bob@example.com", "password": "correct horse battery staple ü" });
    rig.post("/login").json(&body).send().await.expect(200);
    let page = rig.admin(Method::GET, "/api/admin/audit", &json!({})).await.expect(200).json();
    let made = page["items"].as_array().unwrap().iter().filter(|event| event["detail"]["how"] == "imported").count();
    assert_eq!(made, 1);
}
