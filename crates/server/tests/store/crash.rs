//! kill -9 under load: what was acknowledged is there, and no transaction is there by half.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use countersign_server::store::{Store, StoreConfig, StoreError};

/// Names the database of the process that is going to be killed.
const CRASH: &str = "COUNTERSIGN_TEST_CRASH";
const KILLS: usize = 15;
/// Acknowledgements between a start and its kill.
const ACKNOWLEDGED: usize = 150;
const WRITERS: usize = 24;
const PUT: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";

// I-1, I-2. This starts the test below in a process of its own, and kills it.
#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let mut acknowledged = Vec::new();
    for _ in 0..KILLS {
        acknowledged.extend(run_and_kill(&path));
        let store = Store::open(&StoreConfig::Sqlite { path: path.clone() }).await.unwrap();
        let sql = "SELECT name FROM meta";
        let rows = store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
        let names: std::collections::HashSet<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        for name in &acknowledged {
            assert!(names.contains(&format!("a-{name}")), "{name} was acknowledged");
        }
        for name in &names {
            let (half, id) = name.split_once('-').unwrap();
            let other = if half == "a" { "b" } else { "a" };
            assert!(names.contains(&format!("{other}-{id}")), "{name} is alone");
        }
        store.close().await;
    }
    assert!(acknowledged.len() >= KILLS * ACKNOWLEDGED);
}

/// Starts the writers, reads their acknowledgements, and kills them in the midst of it.
fn run_and_kill(path: &Path) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::writers_that_are_killed", "--nocapture", "--quiet"])
        .env(CRASH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ACKNOWLEDGED {
        let line = lines.next().expect("the writers ended by themselves");
        acknowledged.extend(line.strip_prefix("acknowledged ").map(str::to_owned));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it wrote to the pipe before it died was acknowledged too; the last line may be cut.
    let rest: Vec<String> = lines.collect();
    let complete = rest.len().saturating_sub(1);
    acknowledged
        .extend(rest[..complete].iter().filter_map(|line| line.strip_prefix("acknowledged ")).map(str::to_owned));
    acknowledged
}

/// The process that is killed; on its own it has nothing to prove.
#[tokio::test(flavor = "multi_thread")]
async fn writers_that_are_killed() {
    let Some(path) = env::var_os(CRASH) else { return };
    let store = Store::open(&StoreConfig::Sqlite { path: path.into() }).await.unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write_for_ever(store.clone(), writer))).collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

async fn write_for_ever(store: Store, writer: usize) -> Result<(), StoreError> {
    for round in 0.. {
        let id = format!("{}-{writer}-{round}", std::process::id());
        let name = id.clone();
        store
            .write(move |tx| {
                let (a, b) = (format!("a-{name}"), format!("b-{name}"));
                Box::pin(async move {
                    tx.execute(PUT, &[(&a).into(), "x".into()]).await?;
                    tx.execute(PUT, &[(&b).into(), "x".into()]).await
                })
            })
            .await?;
        // One write of one line: lines of several writers do not mix.
        std::io::stdout().write_all(format!("acknowledged {id}\n").as_bytes()).unwrap();
    }
    Ok(())
}
