//! A new key waits for the verifiers that are connected, at whichever replica.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::{
    domain::key_ring::SKEW,
    feed::{Hub, KEYS_HEADER, Said, Seat, Seats},
};

/// A replica and who reads its feed.
struct Replica {
    ring: KeyRing,
    feed: Arc<Hub>,
}

impl Replica {
    async fn at(place: &Place) -> Self {
        let seats = Seats { all: 8, per_address: 8 };
        Self { ring: place.open().await, feed: Arc::new(Hub::new(seats)) }
    }

    fn verifier(&self, keys: &[String], client: &str) -> Seat {
        let headers = HeaderMap::from_iter([(KEYS_HEADER, HeaderValue::from_str(&keys.join(" ")).unwrap())]);
        let said = Said::read(&headers, None, Some(client));
        self.feed.sit(None, None, said).unwrap()
    }

    async fn turn(&self) {
        self.ring.report(&self.feed).await.unwrap();
        self.ring.tick().await.unwrap();
    }

    async fn waits_for(&self) -> Vec<String> {
        self.ring
            .list()
            .await
            .unwrap()
            .into_iter()
            .filter_map(|key| key.verifiers)
            .flat_map(|known| known.who)
            .collect()
    }
}

both_databases! {
    // KEY-02
    async fn a_key_signs_once_the_verifiers_of_every_replica_have_it(store: Store) {
        let place = Place::on(store);
        let (one, other) = (Replica::at(&place).await, Replica::at(&place).await);
        let old = kid(&one.ring);
        place.clock.advance(DAY - PUBLISH_FOR);
        one.turn().await;
        one.turn().await;
        assert_eq!(place.words(TOKEN).await, ["active", "published"]);
        let both: Vec<String> = published(&one.ring);

        let _quick = one.verifier(&both, "orders");
        let slow = other.verifier(std::slice::from_ref(&old), "stock");
        place.clock.advance(PUBLISH_FOR);
        other.ring.reload().await.unwrap();
        other.turn().await;
        one.turn().await;
        assert_eq!(kid(&one.ring), old, "one verifier of another replica lacks the key");
        assert_eq!(one.waits_for().await, ["stock"]);

        drop(slow);
        let _slow = other.verifier(&both, "stock");
        other.turn().await;
        one.turn().await;
        assert_eq!(place.words(TOKEN).await, ["retiring", "active"]);
        assert_ne!(kid(&one.ring), old);
        assert_eq!(one.waits_for().await, [""; 0]);
        let left = place.store.read(|tx| Box::pin(async { tx.fetch_all("SELECT kid FROM key_verifiers", &[]).await }));
        assert_eq!(left.await.unwrap().len(), 0, "nothing is left of a key that signs");
    }

    async fn a_replica_that_is_gone_holds_nothing_up(store: Store) {
        let place = Place::on(store);
        let (one, other) = (Replica::at(&place).await, Replica::at(&place).await);
        let old = kid(&one.ring);
        let lagging = other.verifier(std::slice::from_ref(&old), "stock");
        place.clock.advance(DAY - PUBLISH_FOR);
        one.turn().await;
        one.turn().await;
        other.ring.reload().await.unwrap();
        place.clock.advance(PUBLISH_FOR);
        other.turn().await;
        drop((lagging, other));
        one.turn().await;
        assert_eq!(kid(&one.ring), old);
        place.clock.advance(2 * SKEW);
        one.turn().await;
        assert_ne!(kid(&one.ring), old);
    }

    async fn nobody_holds_a_key_up_for_ever(store: Store) {
        let place = Place::on(store);
        let one = Replica::at(&place).await;
        let old = kid(&one.ring);
        let _never = one.verifier(std::slice::from_ref(&old), "broken");
        place.clock.advance(DAY - PUBLISH_FOR);
        for _ in 0..2 {
            one.turn().await;
        }
        place.clock.advance(PUBLISH_FOR + HOUR - Duration::from_secs(1));
        one.turn().await;
        assert_eq!(kid(&one.ring), old);
        place.clock.advance(Duration::from_secs(1));
        one.turn().await;
        assert_ne!(kid(&one.ring), old);
    }
}
