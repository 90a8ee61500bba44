//! A database is copied to the other kind, row by row the same; whatever is in the way is refused and changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_server::{
    copy::{CopyError, Outcome, Phase, Progress, copy, verify},
    domain::time::Timestamp,
    store::{Param, Store, StoreError, revocations, schema},
};

use crate::support::databases::TestStore;

/// Values that a database may treat in a way of its own.
const TEXTS: [&str; 7] = ["", "ä", "Z", "a", "_", "日本語 \u{1f511}", "line\nbreak 'quoted' \\ \"x\""];

async fn insert(store: &Store, sql: String, params: Vec<Value>) {
    let sql: &'static str = sql.leak();
    let write = store.write(move |tx| {
        let params = params.clone();
        Box::pin(async move {
            let params: Vec<Param<'_>> = params.iter().map(Value::param).collect();
            tx.execute(sql, &params).await
        })
    });
    write.await.unwrap();
}

#[derive(Clone)]
enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(number) => Param::Int(*number),
            Self::Text(text) => Param::Text(text),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }
}

/// Rows in tables with every kind of key, more than a page of them.
async fn fill(store: &Store) {
    let text = |text: &str| Value::Text(text.to_owned());
    for (index, odd) in TEXTS.iter().enumerate() {
        let number = i64::try_from(index).unwrap();
        insert(store, "INSERT INTO meta (name, value) VALUES ($1, $2)".into(), vec![text(odd), text(odd)]).await;
        let role = "INSERT INTO user_roles (user_id, audience, role) VALUES ($1, $2, $3)";
        insert(store, role.into(), vec![text("u"), text(odd), text("r")]).await;
        let blob = vec![u8::try_from(index).unwrap(), 0, 255];
        let entry = "INSERT INTO rev_log (stream, rsn, kind, id, exp) VALUES (0, $1, 2, $2, $3)";
        insert(store, entry.into(), vec![Value::Int(number + 1), Value::Blob(blob.clone()), Value::Int(i64::MAX)])
            .await;
        let brand = "INSERT INTO brands (client_id, logo, colour) VALUES ($1, $2, $3)";
        let logo = if index == 0 { Value::Null } else { Value::Blob(blob) };
        insert(store, brand.into(), vec![text(odd), logo, Value::Null]).await;
    }
    let user = "INSERT INTO users (user_id, tenant, email, email_key, created_at) VALUES ($1, 'default', $2, $2, $3)";
    let write = store.write(move |tx| {
        Box::pin(async move {
            for number in 0..1_000_i64 {
                let (id, mail) = (format!("u{number}"), format!("{number}@example.com"));
                tx.execute(user, &[(&id).into(), (&mail).into(), (i64::MIN + number).into()]).await?;
            }
            tx.execute("UPDATE rev_head SET rsn = 9, t = 8, floor = 7 WHERE stream = 0", &[]).await
        })
    });
    write.await.unwrap();
}

async fn moved(from: &TestStore, to: &TestStore) -> Result<Outcome, CopyError> {
    copy(&from.config, &to.config, &mut |_| {}).await
}

async fn change(test: &TestStore, sql: &'static str) {
    let store = Store::open(&test.config).await.unwrap();
    store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
    store.close().await;
}

async fn there_and_back(first: TestStore, second: TestStore, third: TestStore) {
    fill(&first.store).await;
    for test in [&first, &second, &third] {
        test.store.close().await;
    }
    for (from, to) in [(&first, &second), (&second, &third)] {
        let outcome = moved(from, to).await.unwrap();
        assert!(outcome.is_same(), "{:?}", outcome.tables);
        assert_eq!(outcome.tables.len(), schema::tables().len());
        let rows = |name| outcome.tables.iter().find(|table| table.table == name).unwrap().source.rows;
        assert_eq!((rows("users"), rows("rev_log"), rows("meta"), rows("tenants")), (1_000, 7, 7, 1));
        assert!(verify(&from.config, &to.config, &mut |_| {}).await.unwrap().is_same());
    }
    let store = Store::open(&third.config).await.unwrap();
    let head = store.read(|tx| Box::pin(revocations::head(tx))).await.unwrap();
    assert_eq!((head.rsn.get(), head.t, head.floor.get()), (9, Timestamp::from_micros(8), 7));
    store.close().await;
    // One value of one row.
    change(&third, "UPDATE users SET created_at = created_at + 1 WHERE user_id = 'u77'").await;
    let outcome = verify(&second.config, &third.config, &mut |_| {}).await.unwrap();
    let different: Vec<_> = outcome.tables.iter().filter(|table| !table.is_same()).map(|table| table.table).collect();
    assert_eq!(different, ["users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_the_same_from_sqlite_to_postgres_and_back() {
    there_and_back(TestStore::sqlite().await, TestStore::postgres().await, TestStore::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_the_same_from_postgres_to_sqlite_and_back() {
    there_and_back(TestStore::postgres().await, TestStore::sqlite().await, TestStore::postgres().await).await;
}

/// Stops a copy after its n-th page, as if the process had ended there.
async fn interrupted(from: &TestStore, to: &TestStore, pages: usize) {
    let seen = AtomicUsize::new(0);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let mut tell = |progress: Progress| {
        if progress.phase == Phase::Copying && progress.done > 0 && seen.fetch_add(1, Ordering::Relaxed) == pages {
            stop.take().unwrap().send(()).unwrap();
        }
    };
    tokio::select! {
        biased;
        _ = stopped => {}
        outcome = copy(&from.config, &to.config, &mut tell) => panic!("it was not interrupted: {outcome:?}"),
    }
}

async fn goes_on_behind(from: TestStore, to: TestStore, other: TestStore) {
    fill(&from.store).await;
    for test in [&from, &to, &other] {
        test.store.close().await;
    }
    for pages in [0, 1, 3] {
        interrupted(&from, &to, pages).await;
    }
    // Half a copy is neither compared, nor copied from, nor gone on with from somewhere else.
    assert!(matches!(verify(&from.config, &to.config, &mut |_| {}).await, Err(CopyError::HalfTarget)));
    assert!(matches!(moved(&other, &to).await, Err(CopyError::OtherCopy)));
    assert!(matches!(moved(&to, &other).await, Err(CopyError::HalfSource)));
    let outcome = moved(&from, &to).await.unwrap();
    assert!(outcome.is_same() && outcome.resumed > 0, "{outcome:?}");
    assert!(matches!(moved(&from, &to).await, Err(CopyError::NotEmpty(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_to_postgres_goes_on() {
    goes_on_behind(TestStore::sqlite().await, TestStore::postgres().await, TestStore::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_to_sqlite_goes_on() {
    goes_on_behind(TestStore::postgres().await, TestStore::sqlite().await, TestStore::postgres().await).await;
}

/// The source changes between two runs: the rows that went over before are not what it holds now.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changed_meanwhile_is_noticed() {
    let (from, to) = (TestStore::sqlite().await, TestStore::postgres().await);
    fill(&from.store).await;
    from.store.close().await;
    to.store.close().await;
    interrupted(&from, &to, 30).await;
    change(&from, "UPDATE brands SET colour = '#000000' WHERE client_id = 'a'").await;
    change(&from, "UPDATE meta SET value = 'x' WHERE name = 'a'").await;
    assert!(matches!(moved(&from, &to).await, Err(CopyError::OtherCopy)));
    change(&from, "UPDATE meta SET value = 'a' WHERE name = 'a'").await;
    change(&from, "UPDATE user_roles SET role = 'x' WHERE audience = 'a'").await;
    let outcome = moved(&from, &to).await.unwrap();
    assert!(!outcome.is_same());
    // It stays what it is: of no use.
    assert!(matches!(verify(&from.config, &to.config, &mut |_| {}).await, Err(CopyError::HalfTarget)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_refused() {
    let (sqlite, postgres) = (TestStore::sqlite().await, TestStore::postgres().await);
    assert!(matches!(moved(&sqlite, &sqlite).await, Err(CopyError::SameKind(_))));
    assert!(matches!(moved(&postgres, &postgres).await, Err(CopyError::SameKind(_))));
    // A target that holds a single row.
    change(&postgres, "INSERT INTO user_groups (group_id, tenant, description, created_at) VALUES ('g', 't', '', 0)")
        .await;
    assert!(matches!(moved(&sqlite, &postgres).await, Err(CopyError::NotEmpty("user_groups"))));
    change(&postgres, "DELETE FROM user_groups").await;
    change(&postgres, "UPDATE tenants SET min_rsn = 1").await;
    assert!(matches!(moved(&sqlite, &postgres).await, Err(CopyError::NotEmpty(_))));
    change(&postgres, "UPDATE tenants SET min_rsn = 0").await;
    assert!(moved(&sqlite, &postgres).await.unwrap().is_same());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_is_refused_on_either_side() {
    for older in ["source", "target"] {
        let (sqlite, postgres) = (TestStore::sqlite().await, TestStore::postgres().await);
        change(if older == "source" { &sqlite } else { &postgres }, "UPDATE schema_history SET checksum = '1'").await;
        let refused = moved(&sqlite, &postgres).await.unwrap_err().to_string();
        assert!(refused.starts_with(&format!("the {older}: ")) && refused.contains("another schema"), "{refused}");
    }
}

/// Whoever writes into a frozen database waits, and is refused in the end; reading goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_lets_nobody_write() {
    for test in [TestStore::sqlite().await, TestStore::postgres().await] {
        let frozen = test.store.freeze().await.unwrap();
        test.store.read(|tx| Box::pin(revocations::head(tx))).await.unwrap();
        let write =
            || test.store.write(|tx| Box::pin(async move { tx.execute("UPDATE rev_head SET t = t + 1", &[]).await }));
        let refused = write().await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
        drop(frozen);
        let thawed = async {
            while write().await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), thawed).await.unwrap();
    }
}

/// A server runs on the source: its clock ticks in the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_served_is_not_copied() {
    let (sqlite, postgres) = (TestStore::sqlite().await, TestStore::postgres().await);
    let store = postgres.store.clone();
    let ticking = tokio::spawn(async move {
        loop {
            let sql = "UPDATE rev_head SET t = t + 1";
            store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    assert!(matches!(moved(&postgres, &sqlite).await, Err(CopyError::InUse(_))));
    ticking.abort();
}
