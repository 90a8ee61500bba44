//! The store engine, alike on both databases.

use countersign_server::store::{Param, Store, StoreConfig, StoreError};

async fn sqlite() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::Sqlite { path: folder.path().join("store.db") }).await.unwrap();
    (store, folder)
}

#[tokio::test]
async fn a_commit_is_seen_and_a_refusal_is_rolled_back() {
    let (store, _folder) = sqlite().await;
    const INSERT: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";
    store
        .write(|tx| Box::pin(async move { tx.execute(INSERT, &[Param::Text("a"), Param::Text("1")]).await }))
        .await
        .unwrap();
    let refused: Result<(), _> = store
        .write(|tx| {
            Box::pin(async move {
                tx.execute(INSERT, &["b".into(), "1".into()]).await?;
                tx.execute(INSERT, &["a".into(), "1".into()]).await?;
                Ok(())
            })
        })
        .await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let rows = store
        .read(|tx| Box::pin(async move { tx.fetch_all("SELECT name FROM meta ORDER BY name", &[]).await }))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<String>(0).unwrap(), "a");
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable { unknown_outcome: false, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_share_commits() {
    let (store, _folder) = sqlite().await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    store
                        .write(|tx| {
                            Box::pin(async move {
                                tx.fetch_optional(
                                    "UPDATE rev_head SET rsn = rsn + 1 WHERE stream = $1 RETURNING rsn",
                                    &[0.into()],
                                )
                                .await
                            })
                        })
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let row = store
        .read(|tx| Box::pin(async move { tx.fetch_optional("SELECT rsn FROM rev_head", &[]).await }))
        .await
        .unwrap();
    assert_eq!(row.unwrap().get::<i64>(0).unwrap(), 64 * 20);
}
