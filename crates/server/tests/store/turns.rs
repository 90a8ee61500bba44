//! Work that one replica does at a time.

use std::time::Duration;

use countersign_server::{
    clock::Clock,
    domain::time::Timestamp,
    store::{
        Store,
        turns::{self, Turn},
    },
};

use crate::both_databases;

const HOUR: Duration = Duration::from_hours(1);
const FIRST: Timestamp = Timestamp::from_secs(5);

async fn take(store: &Store, holder: &'static str, (every, lease): (Duration, Duration)) -> Option<Timestamp> {
    let turn = Turn { name: "work", holder, every, lease, clock: Clock::System.now() };
    let write = store.write(move |tx| {
        let turn = turn.clone();
        Box::pin(async move { turn.take(tx, FIRST).await })
    });
    write.await.unwrap()
}

async fn done(store: &Store, holder: &'static str, every: Duration) {
    let turn = Turn { name: "work", holder, every, lease: HOUR, clock: Clock::System.now() };
    let write = store.write(move |tx| {
        let turn = turn.clone();
        Box::pin(async move { turn.done(tx).await })
    });
    write.await.unwrap();
}

both_databases! {
    async fn one_holder_at_a_time(store: Store) {
        let takers = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|holder| {
            let store = store.clone();
            tokio::spawn(async move { take(&store, holder, (HOUR, HOUR)).await.map(|first| (holder, first)) })
        });
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.unwrap());
        }
        let [(holder, first)] = taken[..] else { panic!("{taken:?}") };
        assert_eq!(first, FIRST);
        // Whoever failed half-way does it again; the others wait.
        assert!(take(&store, holder, (HOUR, HOUR)).await.is_some());
        assert!(take(&store, "z", (HOUR, HOUR)).await.is_none());
        // Nobody else ends a turn, and after its end it is nobody's until it is due.
        done(&store, "z", Duration::ZERO).await;
        assert!(take(&store, "z", (HOUR, HOUR)).await.is_none());
        done(&store, holder, HOUR).await;
        assert!(take(&store, holder, (HOUR, HOUR)).await.is_none());
        assert!(take(&store, "z", (HOUR, HOUR)).await.is_none());
    }

    async fn who_does_not_come_to_an_end_is_replaced(store: Store) {
        let short = (Duration::ZERO, Duration::from_millis(300));
        assert!(take(&store, "dead", short).await.is_some());
        let heir = async {
            while take(&store, "heir", short).await.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), heir).await.unwrap();
        // The dead one comes back, and finds that it is not its turn any more.
        assert!(take(&store, "heir", (Duration::ZERO, HOUR)).await.is_some());
        done(&store, "dead", Duration::ZERO).await;
        assert!(take(&store, "dead", (Duration::ZERO, HOUR)).await.is_none());
        done(&store, "heir", Duration::ZERO).await;
        assert!(take(&store, "dead", (Duration::ZERO, HOUR)).await.is_some());
    }

    async fn a_clock_that_was_set_back_stops_nothing(store: Store) {
        assert!(take(&store, "a", (HOUR, HOUR * 24)).await.is_some());
        // Written by a clock that was a day ahead: nobody takes a turn for longer than a minute.
        assert!(take(&store, "b", (HOUR, Duration::from_mins(1))).await.is_some());
        done(&store, "b", HOUR * 24).await;
        assert!(take(&store, "a", (HOUR, Duration::from_mins(1))).await.is_some());
    }

    async fn the_time_that_has_passed_is_kept_with_the_turn(store: Store) {
        assert!(take(&store, "a", (HOUR, HOUR)).await.is_some());
        store.write(|tx| Box::pin(turns::confirm(tx, "work", Timestamp::from_secs(9)))).await.unwrap();
        store.write(|tx| Box::pin(turns::confirm(tx, "work", Timestamp::from_secs(7)))).await.unwrap();
        let known = store.read(|tx| Box::pin(turns::confirmed(tx, "work"))).await.unwrap();
        assert_eq!(known, Some(Timestamp::from_secs(9)));
    }
}
