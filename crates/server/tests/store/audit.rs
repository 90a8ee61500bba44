//! Security events.

use countersign_server::{
    domain::{
        audit::{AuditEvent, Event, Source},
        time::Timestamp,
        user::UserId,
    },
    store::{StoreError, audit},
};

use crate::both_databases;

fn event(second: i64, user: &UserId) -> AuditEvent {
    let source = Source { actor: Source::ANONYMOUS.into(), ip: "192.0.2.1".into(), request_id: format!("r{second}") };
    AuditEvent::new(Event::LoginFail, Timestamp::from_secs(second), &source, [3; 8])
        .user(user.as_str())
        .client("first-party")
        .session("sid")
        .with("reason", "wrong\npassword")
}

both_databases! {
    // AUD-01, AUD-03, AUD-05
    async fn events_are_kept_as_they_were_and_listed_newest_first(store: Store) {
        let (ada, bob) = (UserId::new([1; 16]), UserId::new([2; 16]));
        for second in 1..=5 {
            let event = event(second, if second == 3 { &bob } else { &ada });
            write!(store, [event], |tx| audit::insert(tx, &event));
        }
        let first = read!(store, [ada], |tx| audit::list_by_user(tx, &ada, None, 3));
        assert_eq!(first, [event(5, &ada), event(4, &ada), event(2, &ada)]);
        let last = first[2].id.clone();
        let second = read!(store, [ada, last], |tx| audit::list_by_user(tx, &ada, Some(&last), 3));
        assert_eq!(second, [event(1, &ada)]);
        let all: Vec<_> = read!(store, [], |tx| audit::list(tx, None, 9)).into_iter().map(|event| event.at.secs()).collect();
        assert_eq!(all, [5, 4, 3, 2, 1]);
    }

    // AUD-04, I-10: what is rolled back leaves no event.
    async fn a_rolled_back_change_leaves_no_event(store: Store) {
        let event = event(1, &UserId::new([1; 16]));
        let undone: Result<(), _> = store
            .write(move |tx| {
                let event = event.clone();
                Box::pin(async move {
                    audit::insert(tx, &event).await?;
                    Err(StoreError::Broken("the change failed".into()))
                })
            })
            .await;
        assert!(undone.is_err());
        assert!(read!(store, [], |tx| audit::list(tx, None, 9)).is_empty());
    }
}
