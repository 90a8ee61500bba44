//! Roles, what they permit, and groups: what tokens say of them, and how fast a change arrives.

use countersign_jose::b64;
use http::Method;
use serde_json::{Value, json};

use crate::{
    authenticator::{Authenticator, login},
    both,
    rig::{Answer, PASSWORD, Rig, Tokens},
};

/// What a token carries, as anybody reads it.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn put(rig: &Rig, path: &str, body: Value) -> Answer {
    rig.admin(Method::PUT, &format!("/api/admin/{path}"), &body).await
}

async fn post(rig: &Rig, path: &str, body: Value) -> Answer {
    rig.admin(Method::POST, &format!("/api/admin/{path}"), &body).await
}

async fn get(rig: &Rig, path: &str) -> Value {
    rig.admin(Method::GET, &format!("/api/admin/{path}"), &json!({})).await.expect(200).json()
}

async fn delete(rig: &Rig, path: &str) -> Answer {
    rig.admin(Method::DELETE, &format!("/api/admin/{path}"), &json!({})).await
}

/// The claims after a refresh, later than the grace of the one before.
async fn refreshed(rig: &Rig, tokens: &mut Tokens) -> Value {
    rig.advance(std::time::Duration::from_secs(60));
    *tokens = Tokens::of(&rig.refresh(&tokens.refresh).await.expect(200));
    rig.session(&tokens.access).await.expect(200);
    claims(&tokens.access)
}

both! {
    // ADM-01: direct and by groups, everywhere and at one audience; permissions where the audience asks for them.
    async fn a_token_says_the_roles_of_person_and_groups_and_what_they_permit(rig: Rig) {
        put(&rig, "audiences/api", json!({ "permissions": true })).await.expect(200);
        post(&rig, "roles", json!({ "role": "clerk", "permissions": ["orders:read", "refund@api", "close@elsewhere"] })).await.expect(201);
        post(&rig, "roles", json!({ "role": "boss", "permissions": ["close@api", "orders:read"] })).await.expect(201);
        for (group, roles) in [("staff", json!(["clerk"])), ("berlin", json!(["boss@api", "mayor@elsewhere"])), ("empty", json!([]))] {
            post(&rig, "groups", json!({ "group": group, "roles": roles })).await.expect(201);
        }
        let mut tokens = rig.user("ada@example.com").await;
        assert!(claims(&tokens.access).get("permissions").is_none());
        put(&rig, "users/ada@example.com/roles", json!({ "roles": ["buyer"] })).await.expect(200);
        put(&rig, "groups/staff/members/ada@example.com", json!({})).await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        let said = refreshed(&rig, &mut tokens).await;
        assert_eq!((&said["roles"], &said["permissions"]), (&json!(["buyer", "clerk"]), &json!(["orders:read", "refund"])));

        put(&rig, "groups/berlin/members/ada@example.com", json!({})).await.expect(204);
        put(&rig, "groups/berlin/members/ada@example.com", json!({})).await.expect(204);
        let said = refreshed(&rig, &mut tokens).await;
        assert_eq!(said["roles"], json!(["boss", "buyer", "clerk"]));
        assert_eq!(said["permissions"], json!(["close", "orders:read", "refund"]));

        // Into a group that gives nothing, and out of it: no token says less or more.
        put(&rig, "groups/empty/members/ada@example.com", json!({})).await.expect(204);
        delete(&rig, "groups/empty/members/ada@example.com").await.expect(204);
        rig.session(&tokens.access).await.expect(200);
        put(&rig, "audiences/api", json!({ "permissions": false })).await.expect(200);
        assert!(refreshed(&rig, &mut tokens).await.get("permissions").is_none());
    }

    // MFA-06, RLO-09: a role that asks for a second factor is in no session that began without one, from within the second on.
    async fn a_role_may_ask_for_a_second_factor(rig: Rig) {
        put(&rig, "audiences/api", json!({ "permissions": true })).await.expect(200);
        post(&rig, "roles", json!({ "role": "treasurer", "permissions": ["pay"] })).await.expect(201);
        post(&rig, "roles", json!({ "role": "clerk", "required_acr": "3" })).await.refused(422, "invalid-value");
        let mut tokens = rig.user("ada@example.com").await;
        put(&rig, "users/ada@example.com/roles", json!({ "roles": ["treasurer", "buyer"] })).await.expect(200);
        let said = refreshed(&rig, &mut tokens).await;
        assert_eq!((&said["roles"], &said["permissions"]), (&json!(["buyer", "treasurer"]), &json!(["pay"])));

        let change = put(&rig, "roles/treasurer", json!({ "required_acr": "2" })).await.expect(200).json();
        assert_eq!((&change["required_acr"], &change["permissions"]), (&json!("2"), &json!(["pay"])));
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        let said = refreshed(&rig, &mut tokens).await;
        assert_eq!((&said["roles"], said.get("permissions")), (&json!(["buyer"]), None));

        let fresh = rig.login("ada@example.com").await.expect(200).text("access_token");
        let app = Authenticator::add(&rig, &fresh).await;
        let strong = login(&rig, "ada@example.com", &app.code(&rig)).await.expect(200);
        assert_eq!(claims(&strong.text("access_token"))["roles"], json!(["buyer", "treasurer"]));
        assert_eq!(refreshed(&rig, &mut tokens).await["roles"], json!(["buyer"]));
        put(&rig, "roles/treasurer", json!({ "required_acr": "1" })).await.expect(200);
        assert_eq!(refreshed(&rig, &mut tokens).await["roles"], json!(["buyer", "treasurer"]));
        // A role that people had before anybody described it.
        post(&rig, "roles", json!({ "role": "buyer", "required_acr": "2" })).await.expect(201);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        assert_eq!(refreshed(&rig, &mut tokens).await["roles"], json!(["treasurer"]));
    }

    // RLO-09: whatever is taken away ends the tokens that say it; what is given ends none.
    async fn what_is_taken_away_is_dead_and_what_is_given_comes_with_the_next_refresh(rig: Rig) {
        put(&rig, "audiences/api", json!({ "permissions": true })).await.expect(200);
        post(&rig, "roles", json!({ "role": "clerk", "permissions": ["read", "refund"] })).await.expect(201);
        post(&rig, "groups", json!({ "group": "staff", "roles": ["clerk"] })).await.expect(201);
        let mut tokens = rig.user("ada@example.com").await;
        put(&rig, "groups/staff/members/ada@example.com", json!({})).await.expect(204);
        refreshed(&rig, &mut tokens).await;

        put(&rig, "roles/clerk", json!({ "permissions": ["read", "refund", "close"], "description": "Behind the counter" })).await.expect(200);
        rig.session(&tokens.access).await.expect(200);
        put(&rig, "roles/clerk", json!({ "permissions": ["read", "close", "ship@elsewhere"] })).await.expect(200);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        assert_eq!(refreshed(&rig, &mut tokens).await["permissions"], json!(["close", "read"]));
        // At an audience whose tokens say no permissions, there is nothing to end.
        put(&rig, "roles/clerk", json!({ "permissions": ["read", "close"] })).await.expect(200);
        rig.session(&tokens.access).await.expect(200);

        put(&rig, "groups/staff", json!({ "roles": ["clerk", "porter"] })).await.expect(200);
        rig.session(&tokens.access).await.expect(200);
        put(&rig, "groups/staff", json!({ "roles": ["porter"] })).await.expect(200);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        let said = refreshed(&rig, &mut tokens).await;
        assert_eq!((&said["roles"], said.get("permissions")), (&json!(["porter"]), None));

        delete(&rig, "groups/staff").await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        assert!(refreshed(&rig, &mut tokens).await.get("roles").is_none());
    }

    // A role that goes is taken from people, groups and tokens, unless something needs it.
    async fn a_role_is_removed_from_everybody(rig: Rig) {
        post(&rig, "roles", json!({ "role": "clerk" })).await.expect(201);
        post(&rig, "groups", json!({ "group": "staff", "roles": ["clerk", "reader"] })).await.expect(201);
        let mut tokens = rig.user("ada@example.com").await;
        put(&rig, "users/ada@example.com/roles", json!({ "roles": ["clerk@api", "buyer"] })).await.expect(200);
        refreshed(&rig, &mut tokens).await;
        post(&rig, "audiences", json!({ "audience": "counter", "required_role": "clerk" })).await.expect(201);
        let service = json!({ "client_id": "till", "grants": ["client_credentials"], "audiences": ["api"], "roles": ["clerk"] });
        post(&rig, "clients", service).await.expect(201);
        let needed = delete(&rig, "roles/clerk").await;
        assert!(needed.body.contains("counter") && needed.body.contains("till"), "{}", needed.body);
        needed.refused(409, "conflict");
        put(&rig, "audiences/counter", json!({ "required_role": "" })).await.expect(200);
        put(&rig, "clients/till", json!({ "roles": [] })).await.expect(200);
        delete(&rig, "roles/clerk").await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        assert_eq!(refreshed(&rig, &mut tokens).await["roles"], json!(["buyer"]));
        assert_eq!(get(&rig, "groups/staff").await["roles"], json!(["reader"]));
        delete(&rig, "roles/clerk").await.refused(404, "not-found");
    }

    // ADM-01, ADM-07: nobody administers the issuer by belonging to something.
    async fn the_issuers_own_role_is_given_one_by_one(rig: Rig) {
        for role in ["admin", "admin@admin"] {
            post(&rig, "groups", json!({ "group": "roots", "roles": [role] })).await.refused(422, "invalid-value");
        }
        post(&rig, "groups", json!({ "group": "roots", "roles": ["admin@api"] })).await.expect(201);
        put(&rig, "groups/roots", json!({ "roles": ["admin"] })).await.refused(422, "invalid-value");
        rig.register("eve@example.com").await;
        put(&rig, "groups/roots/members/eve@example.com", json!({})).await.expect(204);
        let body = json!({ "email": "eve@example.com", "password": PASSWORD, "resource": "admin" });
        rig.post("/login").json(&body).send().await.refused(400, "invalid-target");
        post(&rig, "roles", json!({ "role": "admin", "permissions": ["everything"] })).await.expect(201);
        delete(&rig, "roles/admin").await.refused(409, "conflict");
    }

    async fn roles_and_groups_are_listed_page_by_page(rig: Rig) {
        for name in ["c", "a", "b"] {
            post(&rig, "roles", json!({ "role": name, "permissions": ["x", "x", "y@api"] })).await.expect(201);
            post(&rig, "groups", json!({ "group": name, "description": "Some" })).await.expect(201);
            rig.register(&format!("{name}@example.com")).await;
            put(&rig, &format!("groups/c/members/{name}@example.com"), json!({})).await;
        }
        for (list, member) in [("roles", "role"), ("groups", "group")] {
            let first = get(&rig, &format!("{list}?limit=2")).await;
            assert_eq!((&first["items"][0][member], &first["items"][1][member], &first["next"]), (&json!("a"), &json!("b"), &json!("b")));
            let second = get(&rig, &format!("{list}?limit=2&after=b")).await;
            assert_eq!((&second["items"][0][member], &second["next"]), (&json!("c"), &Value::Null));
            post(&rig, list, json!({ member: "a" })).await.refused(409, "conflict");
        }
        assert_eq!(get(&rig, "roles/a").await["permissions"], json!(["x", "y@api"]));
        let group = get(&rig, "groups/c").await;
        assert_eq!((&group["members"], &group["description"]), (&json!(3), &json!("Some")));
        let page = get(&rig, "groups/c/members?limit=2").await;
        let rest = get(&rig, &format!("groups/c/members?limit=2&after={}", page["next"].as_str().unwrap())).await;
        assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (2, 1));
    }

    async fn what_makes_no_sense_is_refused(rig: Rig) {
        rig.register("ada@example.com").await;
        for (path, body) in [
            ("roles", json!({ "role": "a b" })),
            ("roles", json!({ "role": "a", "permissions": ["a b"] })),
            ("roles", json!({ "role": "a", "permissions": ["a@b c"] })),
            ("roles", json!({ "role": "a", "description": "two\nlines" })),
            ("roles", json!({ "role": "a", "permissions": (0..129).map(|n| format!("p{n}")).collect::<Vec<_>>() })),
            ("groups", json!({ "group": "Staff" })),
            ("groups", json!({ "group": "staff", "roles": ["a@b c"] })),
            ("groups", json!({ "group": "staff", "roles": (0..65).map(|n| format!("r{n}")).collect::<Vec<_>>() })),
        ] {
            post(&rig, path, body).await.refused(422, "invalid-value");
        }
        for (path, body) in [
            ("roles/nothing", json!({ "permissions": [] })),
            ("groups/nothing", json!({ "roles": [] })),
            ("groups/nothing/members/ada@example.com", json!({})),
            ("groups/nothing/members/nobody@example.com", json!({})),
        ] {
            put(&rig, path, body).await.refused(404, "not-found");
        }
        post(&rig, "groups", json!({ "group": "staff" })).await.expect(201);
        delete(&rig, "groups/staff/members/ada@example.com").await.refused(404, "not-found");
        delete(&rig, "groups/nothing").await.refused(404, "not-found");
        // A role at an audience whose name would read as another role.
        put(&rig, "users/ada@example.com/roles", json!({ "roles": ["buyer@api admin"] })).await.refused(422, "invalid-value");
    }

    // More than a token carries is refused in words, and leaves the session as it was.
    async fn a_token_stays_small(rig: Rig) {
        let mut tokens = rig.user("ada@example.com").await;
        let many: Vec<String> = (0..40).map(|n| format!("{n:060}@api")).collect();
        put(&rig, "users/ada@example.com/roles", json!({ "roles": many })).await.expect(200);
        let refused = rig.refresh(&tokens.refresh).await;
        assert!(refused.body.contains("2048 bytes"), "{}", refused.body);
        refused.refused(400, "invalid-target");
        put(&rig, "users/ada@example.com/roles", json!({ "roles": many[..20] })).await.expect(200);
        assert_eq!(refreshed(&rig, &mut tokens).await["roles"].as_array().unwrap().len(), 20);
    }

    // AUD-01, AUD-04: one event for each change, none for what changes nothing.
    async fn changes_of_rights_are_in_the_audit_trail(rig: Rig) {
        rig.register("ada@example.com").await;
        post(&rig, "roles", json!({ "role": "clerk", "permissions": ["read"] })).await.expect(201);
        put(&rig, "roles/clerk", json!({ "permissions": ["read"] })).await.expect(200);
        put(&rig, "roles/clerk", json!({ "permissions": [] })).await.expect(200);
        post(&rig, "groups", json!({ "group": "staff" })).await.expect(201);
        for _ in 0..2 {
            put(&rig, "groups/staff", json!({ "roles": ["clerk"] })).await.expect(200);
            put(&rig, "groups/staff/members/ada@example.com", json!({})).await.expect(204);
        }
        delete(&rig, "groups/staff/members/ada@example.com").await.expect(204);
        delete(&rig, "groups/staff").await.expect(204);
        delete(&rig, "roles/clerk").await.expect(204);
        let items = get(&rig, "audit?limit=500").await["items"].clone();
        let mut found: Vec<String> = items.as_array().unwrap().iter()
            .filter(|event| event["event"] == "privilege_permissions_changed")
            .map(|event| {
                let of = |name: &str| event["detail"][name].as_str().unwrap_or_default();
                format!("{}{} {}", of("role"), of("group"), of("change"))
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, [
            "clerk changed", "clerk described", "clerk removed", "staff added", "staff changed", "staff joined", "staff left",
            "staff removed",
        ]);
    }
}
