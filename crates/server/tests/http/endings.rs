//! Everything that ends authority, one row each: it appends to the log in the transaction of what it changes. Each is tried
//! twice: with a table missing that the transaction writes last, and nothing at all may have happened; then for real, and
//! the entries, the marks and the answers of the issuer must all say that it is over.

use std::time::Duration;

use countersign_server::{domain::rsn::Rsn, store::Row};
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    rig::{Answer, PASSWORD, Rig, Tokens},
};

/// What is left of a session whose authority was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Session and tokens are over.
    Nothing,
    /// Tokens are over; a refresh gives new ones, which hold.
    Refresh,
}

struct Stage {
    rig: Rig,
    tokens: Tokens,
    /// A refresh token of an earlier generation.
    old: String,
    user: String,
    kid: String,
}

impl Stage {
    /// A person at an application that may be removed, with a user attribute in a claim and a scope.
    async fn set(rig: Rig) -> Self {
        let app = json!({
            "client_id": "app", "public": true, "grants": ["first_party", "refresh_token"],
            "audiences": ["shop", "api"], "scopes": ["read", "write"],
        });
        let shop = json!({ "audience": "shop", "claims": { "tier": "plan" } });
        rig.admin(Method::POST, "/api/admin/audiences", &shop).await.expect(201);
        rig.admin(Method::POST, "/api/admin/clients", &app).await.expect(201);
        rig.register("ada@example.com").await;
        // In a group whose role permits something. Whoever joins one without roles loses nothing, and gains at the next refresh.
        rig.admin(Method::PUT, "/api/admin/audiences/api", &json!({ "permissions": true })).await.expect(200);
        let clerk = json!({ "role": "clerk", "permissions": ["refund", "close@shop"] });
        rig.admin(Method::POST, "/api/admin/roles", &clerk).await.expect(201);
        rig.admin(Method::POST, "/api/admin/groups", &json!({ "group": "staff" })).await.expect(201);
        rig.admin(Method::PUT, "/api/admin/groups/staff/members/ada@example.com", &json!({})).await.expect(204);
        rig.admin(Method::PUT, "/api/admin/groups/staff", &json!({ "roles": ["clerk"] })).await.expect(200);
        rig.admin(Method::POST, "/api/admin/organisations", &json!({ "organisation": "acme" })).await.expect(201);
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "client_id": "app", "resource": "api" });
        let first = Tokens::of(&rig.post("/login").json(&body).send().await.expect(200));
        let mut tokens = first.clone();
        for _ in 0..2 {
            rig.advance(Duration::from_secs(60));
            tokens = Tokens::of(&refresh(&rig, &tokens.refresh).await.expect(200));
        }
        let user = rig.admin(Method::GET, "/api/admin/users/ada@example.com", &json!({})).await.text("user_id");
        let keys = rig.admin(Method::GET, "/api/admin/keys", &json!({})).await.json();
        let key = keys["items"].as_array().unwrap().iter().find(|key| key["purpose"] == "token").unwrap();
        Self { rig, tokens, old: first.refresh, user, kid: key["kid"].as_str().unwrap().to_owned() }
    }

    async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        self.rig.admin(method, path, &body).await
    }

    async fn revoke(&self, kind: &str, id: &str) -> Answer {
        self.admin(Method::POST, "/api/admin/revocations", json!({ "kind": kind, "id": id, "reason": "a test" })).await
    }

    /// The kinds of the log's entries, in their order.
    async fn log(&self) -> Vec<i64> {
        self.rows("SELECT kind FROM rev_log ORDER BY rsn").await.iter().map(|row| row[0].parse().unwrap()).collect()
    }

    /// Everything that says who may do what.
    async fn state(&self) -> Vec<Vec<String>> {
        let mut state = Vec::new();
        for sql in [
            "SELECT rsn FROM rev_head",
            "SELECT min_rsn, token_rsn, disabled_at, password_hash, attributes FROM users ORDER BY user_id",
            "SELECT min_rsn, token_rsn, disabled_at, scopes, audiences FROM clients ORDER BY client_id",
            "SELECT min_rsn FROM tenants",
            "SELECT revoked_at, revoked_reason FROM signins ORDER BY id",
            "SELECT revoked_at, revoked_reason FROM sessions ORDER BY sid",
            "SELECT state FROM keys WHERE state = 'active' OR state = 'removed' ORDER BY kid",
            "SELECT audience, role FROM user_roles ORDER BY user_id, audience, role",
            "SELECT disabled_scopes FROM audiences ORDER BY audience",
            "SELECT role, audience, permission FROM role_permissions ORDER BY role, audience, permission",
            "SELECT group_id, user_id FROM group_members ORDER BY group_id, user_id",
            "SELECT group_id, audience, role FROM group_roles ORDER BY group_id, audience, role",
            "SELECT organisation, user_id FROM organisation_members ORDER BY organisation, user_id",
            "SELECT organisation, user_id, audience, role FROM organisation_roles ORDER BY organisation, user_id, audience, role",
        ] {
            state.extend(self.rows(sql).await);
        }
        state
    }

    async fn rows(&self, sql: &'static str) -> Vec<Vec<String>> {
        let rows =
            self.rig.app.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
        let text = |row: &Row, index| {
            let number = row.get::<Option<i64>>(index).map(|number| number.map(|number| number.to_string()));
            number.or_else(|_| row.get::<Option<String>>(index)).map(Option::unwrap_or_default).ok()
        };
        rows.iter().map(|row| (0..).map_while(|index| text(row, index)).collect()).collect()
    }

    async fn rename(&self, sql: &'static str) {
        self.rig.app.store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
    }

    async fn head(&self) -> Rsn {
        let store = &self.rig.app.store;
        store.read(|tx| Box::pin(countersign_server::store::revocations::head(tx))).await.unwrap().rsn
    }
}

async fn refresh(rig: &Rig, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)];
    rig.post("/token").form(&form).send().await
}

/// Runs one ending; `kinds` are those of the entries that it must append.
async fn ending(rig: Rig, kinds: &[i64], left: Left, end: impl AsyncFn(&Stage) -> Answer) {
    let stage = Stage::set(rig).await;
    stage.rig.session(&stage.tokens.access).await.expect(200);
    not_by_halves(&stage, &end).await;

    let (head, audited) = (stage.head().await, stage.rows("SELECT id FROM audit").await.len());
    let ended = end(&stage).await;
    assert!(ended.status.is_success() || ended.code() == "refresh-reused", "{ended:?}");
    assert_eq!(stage.log().await, kinds);
    assert!(stage.head().await > head);
    assert!(stage.rows("SELECT id FROM audit").await.len() > audited, "I-10: an event for each change");
    what_is_left(&stage, left).await;
    if left == Left::Nothing && ended.status.is_success() {
        not_twice(&stage, kinds, &end).await;
    }
}

/// I2, AUD-04: what cannot be written as a whole is not written at all.
async fn not_by_halves(stage: &Stage, end: &impl AsyncFn(&Stage) -> Answer) {
    stage.rename("ALTER TABLE audit RENAME TO audit_away").await;
    let before = stage.state().await;
    let failed = end(stage).await;
    assert!(failed.status.is_server_error(), "{failed:?}");
    stage.rename("ALTER TABLE audit_away RENAME TO audit").await;
    assert_eq!(stage.state().await, before, "a part of it happened");
    assert_eq!(stage.log().await, [0; 0]);
    stage.rig.session(&stage.tokens.access).await.expect(200);
}

async fn what_is_left(stage: &Stage, left: Left) {
    stage.rig.session(&stage.tokens.access).await.refused(401, "token-invalid");
    stage.rig.advance(Duration::from_secs(60));
    let refreshed = refresh(&stage.rig, &stage.tokens.refresh).await;
    match left {
        Left::Nothing => assert!(matches!(refreshed.status.as_u16(), 400 | 401), "{refreshed:?}"),
        Left::Refresh => {
            let access = refreshed.expect(200).text("access_token");
            stage.rig.session(&access).await.expect(200);
        }
    }
}

/// What has ended does not end again.
async fn not_twice(stage: &Stage, kinds: &[i64], end: &impl AsyncFn(&Stage) -> Answer) {
    let (log, again) = (stage.log().await.len(), end(stage).await);
    assert!(matches!(again.status.as_u16(), 200 | 204 | 401 | 404), "{again:?}");
    assert!(stage.log().await.len() <= log + usize::from(moves(kinds)), "{again:?}");
}

/// An end of everything that somebody has *now* moves its mark each time it is asked for, unless they are disabled.
fn moves(kinds: &[i64]) -> bool {
    kinds.iter().all(|kind| (3..=5).contains(kind))
}

macro_rules! endings {
    ($($(#[$attribute:meta])* $name:ident: $kinds:expr, $left:ident, |$stage:ident| $end:expr;)+) => {
        both! {$(
            $(#[$attribute])*
            async fn $name(rig: Rig) {
                ending(rig, &$kinds, Left::$left, async |$stage: &Stage| $end).await;
            }
        )+}
    };
}

endings! {
    signed_out_here: [2], Nothing, |stage| {
        stage.rig.post("/logout").json(&json!({})).bearer(&stage.tokens.access).send().await
    };
    signed_out_everywhere: [3], Nothing, |stage| {
        let body = json!({ "everywhere": true, "refresh_token": stage.tokens.refresh });
        stage.rig.post("/logout").json(&body).send().await
    };
    // REF-06
    refresh_token_reused: [2], Nothing, |stage| refresh(&stage.rig, &stage.old).await;
    // REF-11
    password_changed: [3], Nothing, |stage| {
        let body = json!({ "current_password": PASSWORD, "new_password": "seven green parrots sang" });
        stage.rig.post("/password/change").json(&body).bearer(&stage.tokens.access).send().await
    };
    password_set_by_an_administrator: [3], Nothing, |stage| {
        let body = json!({ "password": "seven green parrots sang" });
        stage.admin(Method::PUT, "/api/admin/users/ada@example.com/password", body).await
    };
    // RLO-08
    user_disabled: [3], Nothing, |stage| {
        stage.admin(Method::POST, "/api/admin/users/ada@example.com/disable", json!({})).await
    };
    client_disabled: [4], Nothing, |stage| stage.admin(Method::POST, "/api/admin/clients/app/disable", json!({})).await;
    client_removed: [4], Nothing, |stage| stage.admin(Method::DELETE, "/api/admin/clients/app", json!({})).await;
    client_lost_an_audience: [4], Nothing, |stage| {
        stage.admin(Method::PUT, "/api/admin/clients/app", json!({ "audiences": ["shop"] })).await
    };
    session_ended_by_an_administrator: [2], Nothing, |stage| {
        stage.admin(Method::DELETE, &format!("/api/admin/sessions/{}", stage.tokens.sid), json!({})).await
    };
    user_revoked: [3], Nothing, |stage| stage.revoke("user", "ada@example.com").await;
    session_revoked: [2], Nothing, |stage| stage.revoke("session", &stage.tokens.sid).await;
    client_revoked: [4], Nothing, |stage| stage.revoke("client", "app").await;
    tenant_revoked: [5], Nothing, |stage| stage.revoke("tenant", "default").await;
    token_revoked: [1], Refresh, |stage| stage.revoke("token", &stage.tokens.access).await;
    // KEY-04
    key_revoked: [6], Refresh, |stage| stage.revoke("key", &stage.kid).await;
    // RLO-05
    refresh_token_handed_back: [2], Nothing, |stage| {
        let form = [("client_id", "app"), ("token", stage.old.as_str())];
        stage.rig.post("/revoke").form(&form).send().await
    };
    access_token_handed_back: [1], Refresh, |stage| {
        let form = [("client_id", "app"), ("token", stage.tokens.access.as_str())];
        stage.rig.post("/revoke").form(&form).send().await
    };
    roles_changed: [3], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", json!({ "roles": ["buyer"] })).await
    };
    group_left: [3], Refresh, |stage| {
        stage.admin(Method::DELETE, "/api/admin/groups/staff/members/ada@example.com", json!({})).await
    };
    group_lost_a_role: [3], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/groups/staff", json!({ "roles": ["reader"] })).await
    };
    group_removed: [3], Refresh, |stage| stage.admin(Method::DELETE, "/api/admin/groups/staff", json!({})).await;
    member_of_an_organisation_now: [3], Refresh, |stage| {
        let path = "/api/admin/organisations/acme/members/ada@example.com";
        stage.admin(Method::PUT, path, json!({ "roles": ["buyer"] })).await
    };
    role_lost_a_permission: [4, 4], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/roles/clerk", json!({ "permissions": ["close@shop"] })).await
    };
    role_removed: [4, 4], Refresh, |stage| stage.admin(Method::DELETE, "/api/admin/roles/clerk", json!({})).await;
    mapped_attribute_changed: [3], Refresh, |stage| {
        let body = json!({ "attributes": { "plan": "gold" } });
        stage.admin(Method::PUT, "/api/admin/users/ada@example.com/attributes", body).await
    };
    client_lost_a_scope: [4], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/clients/app", json!({ "scopes": ["read"] })).await
    };
    claims_of_an_audience_changed: [4, 4], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/audiences/api", json!({ "claims": { "tier": "plan" } })).await
    };
    scope_disabled_at_an_audience: [4, 4], Refresh, |stage| {
        stage.admin(Method::PUT, "/api/admin/audiences/api/disabled-scopes", json!({ "scopes": ["write"] })).await
    };
}

both! {
    // CSR-03: the browser's sign-in before this one ends with the new one.
    async fn a_newer_sign_in_of_a_browser_ends_the_older(rig: Rig) {
        rig.register("ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "transport": "cookie" });
        let first = rig.post("/login").json(&body).same_origin().send().await.expect(200);
        let cookie = first.cookie("signin").unwrap();
        rig.post("/login").json(&body).same_origin().cookie("signin", &cookie).send().await.expect(200);
        let stage = Stage {
            tokens: Tokens { access: String::new(), refresh: String::new(), sid: String::new() },
            old: String::new(), user: String::new(), kid: String::new(), rig,
        };
        assert_eq!(stage.log().await, [2]);
    }

    // A scope that is disabled leaves the next token, and comes back with it.
    async fn a_disabled_scope_is_in_no_token(rig: Rig) {
        let stage = Stage::set(rig).await;
        let path = "/api/admin/audiences/api/disabled-scopes";
        let shown = stage.admin(Method::PUT, path, json!({ "scopes": ["write"] })).await.expect(200).json();
        assert_eq!(shown["disabled_scopes"], json!(["write"]));
        stage.rig.advance(Duration::from_secs(60));
        let refreshed = refresh(&stage.rig, &stage.tokens.refresh).await.expect(200);
        assert_eq!(refreshed.text("scope"), "read");
        stage.admin(Method::PUT, path, json!({ "scopes": [] })).await.expect(200);
        assert_eq!(stage.log().await, [4, 4], "to allow something again ends nothing");
        stage.rig.advance(Duration::from_secs(60));
        assert_eq!(refresh(&stage.rig, &refreshed.text("refresh_token")).await.expect(200).text("scope"), "read write");
        stage.admin(Method::PUT, "/api/admin/audiences/nothing/disabled-scopes", json!({ "scopes": [] })).await.refused(404, "not-found");
    }

    async fn what_no_claim_is_made_of_ends_nothing(rig: Rig) {
        let stage = Stage::set(rig).await;
        for attributes in [json!({ "shoe": 43 }), json!({ "shoe": 43 })] {
            let body = json!({ "attributes": attributes });
            stage.admin(Method::PUT, "/api/admin/users/ada@example.com/attributes", body).await.expect(200);
        }
        stage.admin(Method::PUT, "/api/admin/clients/app", json!({ "name": "Another", "refresh_idle": 60 })).await.expect(200);
        assert_eq!(stage.log().await, [0; 0]);
        stage.rig.session(&stage.tokens.access).await.expect(200);
    }

    // Many ends, one transaction, one answer.
    async fn a_list_of_revocations_is_one_transaction(rig: Rig) {
        let stage = Stage::set(rig).await;
        let bob = stage.rig.user("bob@example.com").await;
        let list = json!([
            { "kind": "session", "id": bob.sid, "reason": "laptop lost" },
            { "kind": "session", "id": bob.sid },
            { "kind": "user", "id": stage.user },
            { "kind": "token", "id": "some-jti", "exp": 1_790_000_500 },
            { "kind": "token", "id": "some-jti", "exp": 1_790_000_500 },
            { "kind": "session", "id": "AAAAAAAAAAAAAAAAAAAAAAAB" },
            { "kind": "user", "id": "nobody@example.com" },
            { "kind": "client", "id": "nothing" },
            { "kind": "key", "id": "nothing" },
        ]);
        let answer = stage.admin(Method::POST, "/api/admin/revocations", list.clone()).await.expect(200).json();
        assert_eq!(answer["appended"], 3);
        assert_eq!(answer["unknown"], json!(["nothing", "nobody@example.com", "AAAAAAAAAAAAAAAAAAAAAAAB", "nothing"]));
        assert_eq!(answer["rsn"].as_i64(), Some(stage.head().await.get()));
        assert_eq!(answer["committed_at"], "2026-09-21T14:15:20Z");
        assert_eq!(answer["effective_by"], json!({ "strict": "2026-09-21T14:15:21.25Z", "balanced": "2026-09-21T14:15:30.25Z" }));
        assert_eq!(stage.log().await, [3, 2, 1]);
        stage.rig.session(&bob.access).await.refused(401, "token-invalid");
        let page = stage.admin(Method::GET, "/api/admin/sessions?user=bob@example.com", json!({})).await.json();
        assert_eq!(page["items"][0]["ended_detail"]["note"], "laptop lost");

        // Revoking what is revoked appends nothing; a user has a "now" each time.
        let again = stage.admin(Method::POST, "/api/admin/revocations", list).await.expect(200).json();
        assert_eq!(again["appended"], 1);
        for body in [
            json!({ "kind": "session", "id": bob.sid }),
            json!({ "kind": "token", "id": "some-jti", "exp": 1_790_000_500 }),
        ] {
            let again = stage.admin(Method::POST, "/api/admin/revocations", body).await.expect(200).json();
            assert_eq!(again["appended"], 0);
            assert_eq!(again["rsn"].as_i64(), Some(stage.head().await.get()));
        }
    }

    async fn what_cannot_be_revoked_is_said(rig: Rig) {
        let stage = Stage::set(rig).await;
        let post = async |body: Value| stage.admin(Method::POST, "/api/admin/revocations", body).await;
        for kind in ["user", "session", "client", "tenant", "key"] {
            post(json!({ "kind": kind, "id": "nothing" })).await.refused(404, "not-found");
        }
        post(json!({ "kind": "planet", "id": "earth" })).await.refused(400, "malformed-json");
        post(json!([{ "kind": "user", "id": "a", "colour": "red" }])).await.refused(400, "malformed-json");
        post(json!({ "kind": "token", "id": "a.b.c" })).await.refused(422, "invalid-value");
        post(json!({ "kind": "token", "id": "jti", "exp": 1_900_000_000 })).await.refused(422, "invalid-value");
        post(json!({ "kind": "user", "id": "a", "exp": 1 })).await.refused(422, "invalid-value");
        post(vec![json!({ "kind": "session", "id": "a" }); 10_001].into()).await.refused(422, "invalid-value");
        assert_eq!(stage.log().await, [0; 0]);
    }

    // A revoked signing key is gone from the key set, and another signs.
    async fn a_revoked_key_signs_and_verifies_nothing(rig: Rig) {
        let stage = Stage::set(rig).await;
        stage.revoke("key", &stage.kid).await.expect(200);
        let keys = stage.rig.get("/.well-known/jwks.json").send().await.json();
        let kids: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert!(!kids.is_empty() && !kids.contains(&stage.kid.as_str()), "{kids:?}");
        let again = stage.revoke("key", &stage.kid).await.expect(200).json();
        assert_eq!(again["appended"], 0);
    }
}
