//! Invitations to organisations: by mail, for whoever has the address, once.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, hidden},
    mailbox::{Letter, letters, one},
    rig::{Answer, Rig},
};

const ADA: &str = "ada@example.com";
const INVITATIONS: &str = "/api/admin/organisations/acme/invitations";

/// An organisation, and a person whose address is verified.
async fn stage(rig: &Rig) {
    let body = json!({ "organisation": "acme", "name": "Acme <Inc.>" });
    rig.admin(Method::POST, "/api/admin/organisations", &body).await.expect(201);
    for email in [ADA, "bob@example.com"] {
        rig.register(email).await;
        let token = one(&letters(rig).await, "Confirm your e-mail address").token();
        rig.post("/email/verify").json(&json!({ "token": token })).send().await.expect(204);
    }
}

async fn invite(rig: &Rig, email: &str) -> (Value, Letter) {
    let body = json!({ "email": email, "roles": ["owner", "manager@api"] });
    let invited = rig.admin(Method::POST, INVITATIONS, &body).await.expect(201).json();
    (invited, one(&letters(rig).await, "You are invited"))
}

async fn accept(rig: &Rig, email: &str, token: &str) -> Answer {
    let access = rig.login(email).await.expect(200).text("access_token");
    rig.post("/api/account/invitations/accept").bearer(&access).json(&json!({ "token": token })).send().await
}

async fn members(rig: &Rig) -> Value {
    rig.admin(Method::GET, "/api/admin/organisations/acme/members", &json!({})).await.expect(200).json()["items"]
        .clone()
}

both! {
    // LOG-09, I-8: a link is for one address and works once.
    async fn whoever_has_the_address_joins_once(rig: Rig) {
        stage(&rig).await;
        let (invited, letter) = invite(&rig, "Ada@Example.com").await;
        assert!(letter.to.eq_ignore_ascii_case(ADA) && letter.text.contains("Acme"), "{letter:?}");
        assert!(!invited.to_string().contains(&letter.token()), "the link is for its reader alone");
        accept(&rig, "bob@example.com", &letter.token()).await.refused(403, "forbidden");
        let joined = accept(&rig, ADA, &letter.token()).await.expect(200).json();
        assert_eq!(joined, json!({ "organisation": "acme", "name": "Acme <Inc.>" }));
        assert_eq!(members(&rig).await[0]["roles"], json!(["owner", "manager@api"]));
        accept(&rig, ADA, &letter.token()).await.refused(400, "mail-link-invalid");
        assert_eq!(rig.admin(Method::GET, INVITATIONS, &json!({})).await.json()["items"], json!([]));
        // A member who is invited again keeps what they have, and gets what is new.
        let body = json!({ "email": ADA, "roles": ["guest"] });
        rig.admin(Method::POST, INVITATIONS, &body).await.expect(201);
        let token = one(&letters(&rig).await, "You are invited").token();
        accept(&rig, ADA, &token).await.expect(200);
        assert_eq!(members(&rig).await[0]["roles"], json!(["guest", "owner", "manager@api"]));
        // Whoever is taken out does not come back by a link that lies in their mailbox.
        rig.admin(Method::POST, INVITATIONS, &body).await.expect(201);
        let token = one(&letters(&rig).await, "You are invited").token();
        let member = "/api/admin/organisations/acme/members/ada@example.com";
        rig.admin(Method::DELETE, member, &json!({})).await.expect(204);
        accept(&rig, ADA, &token).await.refused(400, "mail-link-invalid");
        assert_eq!(members(&rig).await, json!([]));
    }

    // LOG-13: whoever made an account with somebody else's address is not whom the invitation is for.
    async fn an_address_that_is_not_verified_does_not_count(rig: Rig) {
        stage(&rig).await;
        rig.register("cyd@example.com").await;
        letters(&rig).await;
        let (_, letter) = invite(&rig, "cyd@example.com").await;
        accept(&rig, "cyd@example.com", &letter.token()).await.refused(403, "forbidden");
        assert_eq!(members(&rig).await, json!([]));
    }

    // LOG-09: what is taken back, replaced or old opens nothing.
    async fn an_invitation_is_taken_back_replaced_or_too_old(rig: Rig) {
        stage(&rig).await;
        let (_, first) = invite(&rig, ADA).await;
        let (second, letter) = invite(&rig, ADA).await;
        accept(&rig, ADA, &first.token()).await.refused(400, "mail-link-invalid");
        let list = rig.admin(Method::GET, INVITATIONS, &json!({})).await.expect(200).json();
        assert_eq!((&list["items"][0]["invitation"], &list["items"][0]["email"]), (&second["invitation"], &json!(ADA)));
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let path = format!("{INVITATIONS}/{}", second["invitation"].as_str().unwrap());
        rig.admin(Method::DELETE, &path, &json!({})).await.expect(204);
        rig.admin(Method::DELETE, &path, &json!({})).await.refused(404, "not-found");
        accept(&rig, ADA, &letter.token()).await.refused(400, "mail-link-invalid");
        let (_, letter) = invite(&rig, ADA).await;
        rig.advance(Duration::from_hours(24 * 7));
        accept(&rig, ADA, &letter.token()).await.refused(400, "mail-link-invalid");
        let (_, letter) = invite(&rig, ADA).await;
        rig.admin(Method::DELETE, "/api/admin/organisations/acme", &json!({})).await.expect(204);
        accept(&rig, ADA, &letter.token()).await.refused(400, "mail-link-invalid");
    }

    // A role that is gone is gone: no link brings it back.
    async fn a_removed_role_is_in_no_invitation(rig: Rig) {
        stage(&rig).await;
        for role in ["owner", "wner"] {
            rig.admin(Method::POST, "/api/admin/roles", &json!({ "role": role })).await.expect(201);
        }
        let (_, letter) = invite(&rig, ADA).await;
        rig.admin(Method::DELETE, "/api/admin/roles/wner", &json!({})).await.expect(204);
        assert_eq!(rig.admin(Method::GET, INVITATIONS, &json!({})).await.json()["items"].as_array().unwrap().len(), 1);
        rig.admin(Method::DELETE, "/api/admin/roles/owner", &json!({})).await.expect(204);
        accept(&rig, ADA, &letter.token()).await.refused(400, "mail-link-invalid");
    }

    async fn nobody_is_invited_to_administer_the_issuer(rig: Rig) {
        stage(&rig).await;
        for body in [json!({ "email": ADA, "roles": ["admin"] }), json!({ "email": "no address" })] {
            rig.admin(Method::POST, INVITATIONS, &body).await.refused(422, "invalid-value");
        }
        let nowhere = "/api/admin/organisations/nothing/invitations";
        rig.admin(Method::POST, nowhere, &json!({ "email": ADA })).await.refused(404, "not-found");
        rig.admin(Method::GET, nowhere, &json!({})).await.refused(404, "not-found");
    }

    // LOG-09, CSR-06: the page of the link; a look uses nothing up, and who is not signed in hears what to do.
    async fn a_person_joins_on_the_page_of_the_link(rig: Rig) {
        stage(&rig).await;
        let (_, letter) = invite(&rig, ADA).await;
        let mut browser = Browser::new(&rig);
        let page = browser.get(&letter.link()).await.expect(200);
        assert!(page.body.contains("Acme &#60;Inc.&#62;") || page.body.contains("Acme &lt;Inc.&gt;"), "{}", page.body);
        let (form, token) = (hidden(&page, "form"), letter.token());
        let fields = [("form", &*form), ("token", &*token)];
        let told = browser.post("/ui/invitation", &fields).await.expect(200);
        assert!(told.body.contains("not signed in"), "{}", told.body);
        let client = Client::web(&rig, "shop").await;
        browser.tokens(&client, &[], ADA).await;
        Browser::new(&rig).post("/ui/invitation", &fields).await.refused_page("form-expired");
        let page = browser.get(&letter.link()).await.expect(200);
        let form = hidden(&page, "form");
        let joined = browser.post("/ui/invitation", &[("form", &*form), ("token", &*token)]).await.expect(200);
        assert!(joined.body.contains("Welcome"), "{}", joined.body);
        assert_eq!(members(&rig).await[0]["email"], ADA);
    }
}
