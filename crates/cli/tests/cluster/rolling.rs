//! Replicas are exchanged one by one under load, by a later release and back, and no request fails.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use crate::{
    daemon::{alone, wait},
    fleet::{FORM, Fleet},
    postgres::Cluster,
    rig::member,
    wire::Kept,
};

const REPLICAS: usize = 3;
const CLIENTS: usize = 6;
/// Requests between two steps, so that every step happens under load.
const BETWEEN: usize = 60;
/// What a later release may do to a schema while this one runs beside it.
const LATER: &str = "ALTER TABLE users ADD COLUMN later text; ALTER TABLE sessions ADD COLUMN later bigint; \
                     CREATE TABLE laters (later bigint NOT NULL PRIMARY KEY)";

/// What the clients have done.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    done: AtomicUsize,
}

impl Load {
    /// One person's client: every refresh must be answered with the next token.
    fn client(&self, fleet: &Fleet, number: usize) {
        let email = format!("user{number}@example.com");
        fleet.person(&email);
        let mut token = fleet.sign_in(&email).refresh;
        let mut kept = Kept::new(fleet.front);
        while !self.stop.load(Ordering::SeqCst) {
            // Half of them keep their connection to HAProxy, which keeps its connections to the replicas.
            let answer = if number.is_multiple_of(2) {
                let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
                kept.ask("POST /token", FORM, &body).unwrap()
            } else {
                fleet.refresh(&token).unwrap()
            };
            assert_eq!(answer.status, 200, "{answer:?}");
            token = member(&answer.body, "refresh_token");
            self.done.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(5));
        }
        let sessions = fleet.sessions(&email);
        assert!(sessions.len() == 1 && sessions[0]["ended_reason"].is_null(), "{sessions:?}");
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }

    fn go_on(&self) {
        let from = self.done();
        wait(&|| "the clients do not get on".to_owned(), || self.done() >= from + BETWEEN);
    }
}

/// A client whose request failed has panicked; then the rest must not wait for it.
struct Ends<'a>(&'a Load);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

// I-2
#[test]
fn a_rolling_restart_into_a_later_release_and_back_fails_no_request() {
    let _alone = alone();
    let cluster = Cluster::start("listen_addresses = ''\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(cluster.create_database());
    let fleet = Fleet::start(&[url.as_str(); REPLICAS], &[("COUNTERSIGN_DRAIN_FOR", "10m")]);
    let load = Load::default();
    thread::scope(|scope| {
        let _ends = Ends(&load);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (load, fleet) = (&load, &fleet);
                scope.spawn(move || load.client(fleet, number))
            })
            .collect();
        load.go_on();
        assert_eq!(schema(&fleet), 1);
        for replica in 0..REPLICAS {
            stop(&fleet, &load, replica);
            let later = [("COUNTERSIGN_TEST_MIGRATION", LATER)];
            if replica == 0 {
                migrate_beside_a_long_transaction(&fleet, &load, &runtime, &url, &later);
            } else {
                start(&fleet, &load, replica, &later);
            }
            // The others are of the release before, until it is their turn.
            assert_eq!(schema(&fleet), 2);
            println!("replica {replica} is of the later release, {} requests answered", load.done());
        }
        // The way back: the release before runs on what the later one made.
        stop(&fleet, &load, 0);
        start(&fleet, &load, 0, &[]);
        assert_eq!(schema(&fleet), 2);
        load.stop.store(true, Ordering::SeqCst);
        for client in clients {
            client.join().unwrap();
        }
    });
    println!("{} requests, all answered with 200", load.done());
}

/// Takes a replica out of the traffic, and stops it.
fn stop(fleet: &Fleet, load: &Load, number: usize) {
    let replica = &fleet.replicas[number];
    replica.signal("-TERM");
    fleet.wait_for(number, false);
    // Whatever HAProxy has sent before, and whoever asks the replica itself, is answered for as long as it drains.
    assert_eq!(replica.ask("GET", "/readyz", &[], "").unwrap().status, 503);
    assert_eq!(replica.ask("GET", "/healthz", &[], "").unwrap().status, 200);
    load.go_on();
    assert!(replica.is_running());
    replica.signal("-TERM");
    assert_eq!(replica.ended(), Some(0));
}

fn start(fleet: &Fleet, load: &Load, number: usize, told: &[(&str, &str)]) {
    let replica = &fleet.replicas[number];
    replica.begin(told);
    replica.ready();
    fleet.wait_for(number, true);
    load.go_on();
}

/// Somebody's long transaction has read what the migration must lock: everybody else would wait behind the migration, so that
/// one steps back again and again.
fn migrate_beside_a_long_transaction(
    fleet: &Fleet,
    load: &Load,
    runtime: &tokio::runtime::Runtime,
    url: &str,
    told: &[(&str, &str)],
) {
    let reader = runtime.block_on(async {
        let (reader, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        reader.batch_execute("BEGIN; SELECT 1 FROM sessions").await.unwrap();
        reader
    });
    fleet.replicas[0].begin(told);
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    wait(&|| "nothing waits for the long transaction".to_owned(), || {
        runtime.block_on(reader.query_one(waits, &[])).unwrap().get::<_, i64>(0) > 0
    });
    for _ in 0..3 {
        load.go_on();
    }
    assert_eq!(schema(fleet), 1);
    runtime.block_on(reader.batch_execute("COMMIT")).unwrap();
    fleet.replicas[0].ready();
    fleet.wait_for(0, true);
    load.go_on();
}

/// The database's, as any replica sees it.
fn schema(fleet: &Fleet) -> i64 {
    let (status, answer) = fleet.replicas[REPLICAS - 1].rig.admin("GET", "/api/admin/status", "").unwrap();
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["schema"].as_i64().unwrap()
}
