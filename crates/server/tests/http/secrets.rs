//! AUD-02: no secret that went through the issuer is found in its logs, in its metrics, in its answers to others, or in the
//! clear in its database.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use http::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    mailbox::letters,
    rig::{PASSWORD, Rig, Tokens},
};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn canaries_never_appear_where_they_do_not_belong() {
    let log = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // For the whole program: what the other tests log is searched too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let rig = Rig::sqlite().await;
    let user = rig.user("canary@example.com").await;
    let newer = Tokens::of(&rig.refresh(&user.refresh).await.expect(200));
    let wrong = "wrong canary battery staple";
    rig.post("/login").json(&json!({ "email": "canary@example.com", "password": wrong })).send().await.expect(401);
    let cookie = json!({ "email": "canary@example.com", "password": PASSWORD, "transport": "cookie" });
    let cookies = rig.post("/login").json(&cookie).same_origin().send().await.expect(200);
    let client = json!({ "client_id": "canary", "grants": ["client_credentials"], "audiences": ["api"] });
    let secret = rig.admin(Method::POST, "/api/admin/clients", &client).await.expect(201).text("client_secret");
    let form = [("grant_type", "client_credentials"), ("client_id", "canary"), ("client_secret", secret.as_str())];
    rig.post("/token").form(&form).send().await.expect(200);
    // Mistakes that a person makes: secrets in the wrong place.
    rig.post("/token").raw("text/plain", newer.refresh.clone()).send().await.expect(400);
    rig.post("/login").raw("application/json", format!("{{\"password\":\"{PASSWORD}\"")).send().await.expect(400);
    let misplaced = json!({ "email": "canary@example.com", "password": PASSWORD, "transport": newer.refresh });
    rig.post("/login").json(&misplaced).send().await.expect(400);
    rig.get(&format!("/session?access_token={}", newer.access)).send().await.expect(401);
    rig.get("/session").bearer(&newer.refresh).send().await.expect(401);

    // On a deployment: while somebody develops on this machine, links are shown on purpose.
    let deployed = Rig::with(&[("issuer", "https://id.example")]).await;
    let link = link_of_a_mail(&deployed).await;

    let mut metrics = rig.admin(Method::GET, "/metrics", &json!({})).await.expect(200).body;
    metrics += &deployed.admin(Method::GET, "/metrics", &json!({})).await.expect(200).body;
    let mut audit = rig.admin(Method::GET, "/api/admin/audit", &json!({})).await.expect(200).body;
    audit += &deployed.admin(Method::GET, "/api/admin/audit", &json!({})).await.expect(200).body;
    rig.app.store.close().await;
    deployed.app.store.close().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("request refused"), "the log was kept: {log}");
    let database = [&rig, &deployed].map(files).concat();
    let canaries = [
        ("password", PASSWORD.to_owned()),
        ("wrong password", wrong.to_owned()),
        ("access token", signature(&newer.access)),
        ("refresh token", newer.refresh.clone()),
        ("first refresh token", user.refresh.clone()),
        ("sign-in cookie", cookies.cookie("signin").unwrap()),
        ("access cookie", signature(&cookies.cookie("access").unwrap())),
        ("client secret", secret.clone()),
        ("link of a mail", link),
    ];
    for (what, canary) in &canaries {
        assert!(!log.contains(canary.as_str()), "{what} in the log");
        assert!(!metrics.contains(canary.as_str()), "{what} in the metrics");
        assert!(!audit.contains(canary.as_str()), "{what} in the audit");
        assert!(!database.windows(canary.len()).any(|bytes| bytes == canary.as_bytes()), "{what} in the data folder");
    }
}

/// Sent, followed, and followed once more.
async fn link_of_a_mail(deployed: &Rig) -> String {
    deployed.register("canary@example.com").await;
    let link = letters(deployed).await.remove(0).text.split_once("?token=").unwrap().1[..43].to_owned();
    let verify = json!({ "token": link });
    deployed.post("/email/verify").json(&verify).send().await.expect(204);
    deployed.post("/email/verify").json(&verify).send().await.expect(400);
    deployed.get(&format!("/ui/email/verify?token={link}")).send().await.expect(400);
    link
}

/// Everything that lies in the data folder.
fn files(rig: &Rig) -> Vec<u8> {
    std::fs::read_dir(rig.folder.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap().to_owned()
}
