//! What is over is removed after its time, and nothing else is.

use std::time::Duration;

use countersign_server::{
    domain::{
        revocation::{Entry, Scope},
        rsn::Rsn,
        time::Timestamp,
    },
    store::{Store, revocations, trim},
    trim::Trimmer,
};
use http::Method;
use serde_json::json;

use crate::{
    both,
    browser::{Browser, Client, query},
    revocations::follower::{Follower, running},
    rig::{ISSUER, PASSWORD, Rig, Tokens},
};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const SCOPE: Scope<'static> = Scope { issuer: ISSUER, tenant: "default" };

async fn count(rig: &Rig, sql: &'static str) -> i64 {
    let row = rig.app.store.read(move |tx| Box::pin(async move { tx.fetch_optional(sql, &[]).await }));
    row.await.unwrap().unwrap().get(0).unwrap()
}

/// Entries of the log, sessions, sign-ins.
async fn counts(rig: &Rig) -> [i64; 3] {
    [
        count(rig, "SELECT COUNT(*) FROM rev_log").await,
        count(rig, "SELECT COUNT(*) FROM sessions").await,
        count(rig, "SELECT COUNT(*) FROM signins").await,
    ]
}

/// The log notes what time it is.
async fn tick(rig: &Rig) {
    let now = rig.app.steady_now();
    let note = rig.app.store.write(move |tx| {
        Box::pin(async move {
            let seen = revocations::head(tx).await?.t;
            revocations::tick(tx, now, seen, Duration::from_secs(5)).await
        })
    });
    note.await.unwrap();
}

/// The log of PostgreSQL goes by its own clock: from here on that of the issuer is not behind it.
async fn catch_up(rig: &Rig) {
    tick(rig).await;
    let ahead = count(rig, "SELECT t FROM rev_head WHERE stream = 0").await - rig.app.clock.now().micros();
    rig.advance(Duration::from_micros(u64::try_from(ahead).unwrap_or(0)));
}

/// Time passes: the clock that says so, the log's note of it, and the uptime of who trims.
struct Passing {
    trimmer: Trimmer,
    uptime: Duration,
}

impl Passing {
    async fn begin(rig: &Rig) -> Self {
        let mut passing = Self { trimmer: Trimmer::default(), uptime: Duration::ZERO };
        passing.by(rig, MINUTE).await;
        passing
    }

    async fn by(&mut self, rig: &Rig, span: Duration) {
        self.uptime += span;
        self.jump(rig, span).await;
    }

    /// The clock jumps, and no time passes.
    async fn jump(&mut self, rig: &Rig, span: Duration) {
        rig.advance(span);
        tick(rig).await;
        self.trimmer.turn_at(&rig.app, self.uptime).await.unwrap();
    }
}

#[tokio::test]
async fn ended_sessions_go_after_their_retention_and_entries_after_their_tokens() {
    let rig = Rig::sqlite().await;
    let ended = rig.user("ada@example.com").await;
    let live = rig.user("bob@example.com").await;
    rig.post("/logout").json(&json!({ "refresh_token": ended.refresh })).send().await.expect(204);
    let mut passing = Passing::begin(&rig).await;
    passing.by(&rig, MINUTE * 9).await;
    assert_eq!(counts(&rig).await, [1, 2, 2], "its tokens may live");

    // Its tokens are over, and so is the entry; the reason is still there.
    passing.by(&rig, MINUTE * 3).await;
    assert_eq!(counts(&rig).await, [0, 2, 2]);
    let page = rig.admin(Method::GET, "/api/admin/sessions?user=ada@example.com", &json!({})).await.json();
    assert!(page["items"][0]["ended_reason"].is_string(), "{page}");
    rig.refresh(&ended.refresh).await.refused(400, "refresh-revoked");

    // Its reason, too, in the end; a sign-in goes when its sessions have gone. What lives, lives.
    let mut refresh = live.refresh;
    for _ in 0..3 {
        passing.by(&rig, DAY * 11).await;
        refresh = rig.refresh(&refresh).await.expect(200).text("refresh_token");
    }
    passing.by(&rig, MINUTE).await;
    assert_eq!(counts(&rig).await, [0, 1, 1]);
    rig.refresh(&refresh).await.expect(200);
    let gone = rig.refresh(&ended.refresh).await;
    assert_eq!(gone.status.as_u16(), 400, "{}", gone.body);
}

/// When trimming looks at the one session and the one sign-in of the store.
async fn due(rig: &Rig) -> [i64; 2] {
    [count(rig, "SELECT MAX(due_at) FROM sessions").await, count(rig, "SELECT MAX(due_at) FROM signins").await]
}

/// Puts `count` sessions and their sign-ins into the store, left alone for years; of every tenth sign-in the session lives.
async fn fill(rig: &Rig, count: usize, far: i64) {
    const SIGNIN: &str = "INSERT INTO signins (id, user_id, auth_time, amr, acr, auth_rsn, device, ip, created_at, last_seen_at, \
                          expires_at) VALUES ($1, 'somebody', 0, '', '', 0, '', '', 0, 0, 1)";
    const SESSION: &str = "INSERT INTO sessions (sid, signin_id, user_id, client_id, tenant, scope, audience, auth_rsn, nonce, \
                           prev_nonce, at_exp, created_at, last_seen_at, expires_at, idle_expires_at) \
                           VALUES ($1, $2, 'somebody', 'first-party', 'default', '', 'api', 0, $2, $2, 0, 0, 0, $3, $3)";
    for piece in (0..count).collect::<Vec<_>>().chunks(1_000).map(<[usize]>::to_vec) {
        let fill = rig.app.store.write(move |tx| {
            let piece = piece.clone();
            Box::pin(async move {
                for n in piece {
                    let id = n.to_be_bytes();
                    let until = if n % 10 == 0 { far } else { 1 };
                    tx.execute(SIGNIN, &[(&id).into()]).await?;
                    tx.execute(SESSION, &[(&n.to_string()).into(), (&id).into(), until.into()]).await?;
                }
                Ok(())
            })
        });
        fill.await.unwrap();
    }
}

// I-6
#[tokio::test]
async fn a_clock_that_jumps_removes_nothing() {
    let rig = Rig::sqlite().await;
    let user = rig.user("ada@example.com").await;
    rig.admin(Method::DELETE, &format!("/api/admin/sessions/{}", user.sid), &json!({})).await.expect(200);
    let mut passing = Passing::begin(&rig).await;
    passing.jump(&rig, DAY * 365).await;
    // Another process, which finds the clock as it is.
    let mut other = Passing { trimmer: Trimmer::default(), uptime: Duration::ZERO };
    other.by(&rig, MINUTE * 5).await;
    assert_eq!(counts(&rig).await, [1, 1, 1]);
    // Once it has run for longer than any token lives, the time of its start has passed for certain.
    other.by(&rig, DAY + MINUTE * 2).await;
    assert_eq!(counts(&rig).await, [0, 0, 0]);
}

// AUD-05
#[tokio::test]
async fn security_events_go_after_their_retention() {
    let rig = Rig::with(&[("retention.audit", "2d")]).await;
    rig.register("ada@example.com").await;
    let mut passing = Passing::begin(&rig).await;
    passing.by(&rig, DAY).await;
    rig.register("bob@example.com").await;
    let events = count(&rig, "SELECT COUNT(*) FROM audit").await;
    passing.by(&rig, DAY + MINUTE).await;
    let left = count(&rig, "SELECT COUNT(*) FROM audit").await;
    assert!(left > 0 && left < events, "{left} of {events}");
    assert_eq!(count(&rig, "SELECT COUNT(*) FROM audit WHERE event = 'user_created'").await, 1);
}

// OAU-05, I-6: a used code is known for a day, so that its second use ends the session; a request waits for half an hour.
#[tokio::test]
async fn requests_and_codes_go_after_their_time() {
    let rig = Rig::sqlite().await;
    rig.register("ada@example.com").await;
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let code = query(&browser.authorize(&client, &[], "ada@example.com").await)["code"].clone();
    client.redeem(&rig, &code).await.expect(200);
    rig.advance(Duration::from_secs(1));
    browser.get(&client.url(&[("prompt", "login")])).await.expect(303);
    let left = async || {
        let requests = count(&rig, "SELECT COUNT(*) FROM authorizations").await;
        [requests, count(&rig, "SELECT COUNT(*) FROM codes").await]
    };
    let mut passing = Passing::begin(&rig).await;
    passing.by(&rig, MINUTE * 28).await;
    assert_eq!(left().await, [1, 1]);
    passing.by(&rig, MINUTE * 2).await;
    assert_eq!(left().await, [0, 1]);
    passing.jump(&rig, DAY * 3).await;
    assert_eq!(left().await, [0, 1], "a clock that jumps removes nothing");
    client.redeem(&rig, &code).await.refused(400, "code-reused");
    passing.by(&rig, DAY).await;
    assert_eq!(left().await, [0, 0]);
}

/// Removes what had expired by `t`, in pieces of `limit`.
async fn trim_log(store: &Store, t: Timestamp, limit: u32) {
    let mut after = Some(Rsn::default());
    while let Some(from) = after {
        let piece = store.read(move |tx| Box::pin(trim::log(tx, from, t, limit))).await.unwrap();
        let over = piece.over;
        let remove = store.write(move |tx| {
            let over = over.clone();
            Box::pin(async move { trim::remove_entries(tx, &over).await })
        });
        remove.await.unwrap();
        after = piece.next;
    }
}

both! {
    // I11: a reader with any cursor gets every unexpired entry above it, and nothing is a gap.
    async fn readers_behind_the_trimmed_part_miss_nothing(rig: Rig) {
        // Real time, which both databases share.
        let far = 4_000_000_000_i64;
        let entries: Vec<Entry> = (0..50)
            .map(|n| Entry::session(SCOPE, &format!("s{n}"), if n % 5 == 0 { far } else { n }))
            .chain([Entry::key(SCOPE, "a-key")])
            .collect();
        let now = rig.app.clock.now();
        let append = rig.app.store.write(move |tx| {
            let entries = entries.clone();
            Box::pin(async move { revocations::append(tx, now, &entries).await })
        });
        let last = append.await.unwrap().get();
        trim_log(&rig.app.store, Timestamp::from_secs(1_000), 7).await;
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM rev_log").await, 11);
        let _running = running(&rig).await;
        for cursor in [0, last - 48, last - 3, last] {
            let mut follower = Follower { head: cursor, ..Follower::default() };
            let page = rig.get(&format!("/revocations/0?after={cursor}")).send().await.expect(200).body;
            follower.take_all(&rig, &page).await;
            assert_eq!((follower.gaps, follower.head), (0, last));
            let above = follower.positions().into_iter().filter(|rsn| *rsn > cursor).count();
            let kept = (0..51).filter(|n| n % 5 == 0 && last - 50 + n > cursor).count();
            assert_eq!(above, kept, "from {cursor}");
        }
    }

    // A session that is in use is looked at once in each idle period, and no refresh writes the index by which it is found.
    async fn what_is_due_is_found_and_a_refresh_writes_nothing_of_it(rig: Rig) {
        catch_up(&rig).await;
        let user = rig.user("ada@example.com").await;
        let first = due(&rig).await;
        let second = rig.refresh(&user.refresh).await.expect(200).text("refresh_token");
        assert_eq!(due(&rig).await, first);
        // Its time has come, and it was used since: it gets another one.
        let early = rig.app.store.write(|tx| Box::pin(async move {
            tx.execute("UPDATE sessions SET due_at = 0", &[]).await?;
            tx.execute("UPDATE signins SET due_at = 0", &[]).await
        }));
        early.await.unwrap();
        tick(&rig).await;
        Trimmer::default().turn(&rig.app).await.unwrap();
        let [session, signin] = due(&rig).await;
        assert_eq!(session, count(&rig, "SELECT MAX(CASE WHEN idle_expires_at < expires_at THEN idle_expires_at ELSE expires_at END) FROM sessions").await);
        assert!(signin > first[1], "{signin}");
        rig.refresh(&second).await.expect(200);
        // Whoever signs out is due from then on.
        rig.admin(Method::DELETE, &format!("/api/admin/sessions/{}", user.sid), &json!({})).await.expect(200);
        assert_eq!(due(&rig).await[0], count(&rig, "SELECT MAX(revoked_at) FROM sessions").await);
    }

    // However many are over, each turn removes more than a piece; sign-ins whose session lives stay, and are not asked for again.
    async fn a_backlog_goes_and_what_lives_stays(rig: Rig) {
        catch_up(&rig).await;
        let far = rig.app.clock.now().plus(DAY * 30).micros();
        fill(&rig, 3_000, far).await;
        let mut trimmer = Trimmer::default();
        let mut uptime = Duration::ZERO;
        while count(&rig, "SELECT COUNT(*) FROM signins").await > 300 {
            uptime += MINUTE;
            rig.advance(MINUTE);
            // PostgreSQL's own clock says when the next turn is.
            let again = rig.app.store.write(|tx| Box::pin(async move { tx.execute("DELETE FROM turns", &[]).await }));
            again.await.unwrap();
            tick(&rig).await;
            let trimmed = trimmer.turn_at(&rig.app, uptime).await.unwrap();
            assert!(trimmed.sessions + trimmed.signins > 0, "{trimmed:?}");
        }
        assert_eq!(counts(&rig).await[1..], [300, 300]);
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM sessions WHERE due_at < 100").await, 0);
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM signins WHERE due_at < 100").await, 0);
    }

    // Every table's statements, on both databases.
    async fn a_turn_on_a_store_in_use_removes_nothing_that_lives(rig: Rig) {
        let live = rig.user("ada@example.com").await;
        rig.admin(Method::POST, "/api/admin/revocations", &json!({ "kind": "token", "id": "a-jti" })).await.expect(200);
        let before = counts(&rig).await;
        Trimmer::default().turn(&rig.app).await.unwrap();
        assert_eq!(counts(&rig).await, before);
        rig.refresh(&live.refresh).await.expect(200);
        // And each of those statements that remove.
        let write = rig.app.store.write(|tx| Box::pin(async move {
            trim::remove_sessions(tx, &["a".to_owned()]).await?;
            trim::remove_signins(tx, &[vec![1]]).await?;
            trim::remove_events(tx, &["a".to_owned()]).await
        }));
        write.await.unwrap();
        assert_eq!(counts(&rig).await, before);
    }
}

// Every table that names a user, those that are made in future included: nothing of somebody who was removed is in it. Security
// events stay for their time, and messages that are on their way.
#[tokio::test]
async fn nothing_is_left_of_a_user() {
    const STAY: [&str; 3] = ["audit", "mails", "notices"];
    let rig = Rig::sqlite().await;
    let shop = Client::web(&rig, "shop").await;
    rig.register("ada@example.com").await;
    Browser::new(&rig).tokens(&shop, &[], "ada@example.com").await;
    rig.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", &json!({ "roles": ["buyer"] })).await.expect(200);
    let shown = rig.admin(Method::GET, "/api/admin/users/ada@example.com", &json!({})).await.expect(200).json();
    let id = shown["user_id"].as_str().unwrap().to_owned();
    let mut full = 0;
    for before in [true, false] {
        let read = rig.app.store.read(|tx| {
            Box::pin(async move {
                const TABLES: &str = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
                                      WHERE m.type = 'table' AND c.name LIKE '%user_id'";
                let rows = tx.fetch_all(TABLES, &[]).await?;
                rows.iter().map(|row| Ok((row.get::<String>(0)?, row.get::<String>(1)?))).collect::<Result<Vec<_>, _>>()
            })
        });
        for (table, column) in read.await.unwrap() {
            let sql: &'static str = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1").leak();
            let id = id.clone();
            let read = rig.app.store.read(move |tx| {
                let id = id.clone();
                Box::pin(async move { tx.fetch_optional(sql, &[(&id).into()]).await })
            });
            let count: i64 = read.await.unwrap().unwrap().get(0).unwrap();
            full += usize::from(before && count > 0);
            assert!(before || count == 0 || STAY.contains(&&*table), "{table}.{column}: {count}");
        }
        if before {
            rig.admin(Method::DELETE, &format!("/api/admin/users/{id}"), &json!({})).await.expect(204);
        }
    }
    assert!(full >= 6, "{full}");
}

// Whoever leaves may think again; then nothing is left of them.
#[tokio::test]
async fn an_account_goes_after_a_while() {
    let rig = Rig::sqlite().await;
    let mut passing = Passing::begin(&rig).await;
    let ada = rig.user("ada@example.com").await;
    let delete = async |token: &str, password: &str| {
        let body = json!({ "password": password });
        rig.post("/api/account/delete").bearer(token).json(&body).send().await
    };
    delete(&ada.access, "wrong horse battery staple").await.refused(401, "invalid-credentials");
    assert!(delete(&ada.access, PASSWORD).await.expect(202).json()["delete_at"].is_string());
    rig.session(&ada.access).await.refused(401, "token-invalid");
    passing.by(&rig, 13 * DAY).await;
    let again = Tokens::of(&rig.login("ada@example.com").await.expect(200));
    rig.post("/api/account/keep").bearer(&again.access).send().await.expect(204);
    rig.post("/api/account/keep").bearer(&again.access).send().await.refused(404, "not-found");
    passing.by(&rig, 2 * DAY).await;
    let again = Tokens::of(&rig.login("ada@example.com").await.expect(200));
    delete(&again.access, PASSWORD).await.expect(202);
    passing.by(&rig, 13 * DAY).await;
    let last = Tokens::of(&rig.login("ada@example.com").await.expect(200));
    passing.by(&rig, 2 * DAY).await;
    rig.session(&last.access).await.expect(401);
    rig.refresh(&last.refresh).await.expect(400);
    rig.login("ada@example.com").await.refused(401, "invalid-credentials");
    rig.register("ada@example.com").await;
    rig.login("ada@example.com").await.expect(200);
}
