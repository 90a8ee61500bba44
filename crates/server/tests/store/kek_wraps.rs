//! The key-encryption key as key stores have wrapped it.

use countersign_server::{
    domain::{key_store::StoreName, time::Timestamp},
    store::kek_wraps::{self, KekWrap},
};

use crate::both_databases;

fn wrap(store: StoreName, kek_id: &str, wrapped: &str) -> KekWrap {
    KekWrap {
        store,
        kek_id: kek_id.to_owned(),
        wrapped: wrapped.to_owned(),
        place: "somewhere".to_owned(),
        created_at: Timestamp::from_secs(1_790_000_000),
    }
}

both_databases! {
    // I-9: of two servers that begin together the first decides.
    async fn the_first_wrapped_form_of_a_store_stays_until_it_is_replaced_on_purpose(store: Store) {
        let (first, second) = (wrap(StoreName::Transit, "k1", "one"), wrap(StoreName::Transit, "k1", "two"));
        assert!(write!(store, [first], |tx| kek_wraps::insert(tx, &first)));
        assert!(!write!(store, [second], |tx| kek_wraps::insert(tx, &second)));
        assert_eq!(read!(store, [], |tx| kek_wraps::all(tx)), std::slice::from_ref(&first));
        write!(store, [second], |tx| kek_wraps::put(tx, &second));
        assert_eq!(read!(store, [], |tx| kek_wraps::all(tx)), std::slice::from_ref(&second));
    }

    // I-9: what is to stay is held before anything else goes.
    async fn only_a_form_of_this_very_key_is_held(store: Store) {
        let there = wrap(StoreName::Pkcs11, "k1", "one");
        assert!(write!(store, [there], |tx| kek_wraps::insert(tx, &there)));
        assert!(write!(store, [], |tx| kek_wraps::hold(tx, StoreName::Pkcs11, "k1")));
        assert!(!write!(store, [], |tx| kek_wraps::hold(tx, StoreName::Pkcs11, "k2")));
        assert!(!write!(store, [], |tx| kek_wraps::hold(tx, StoreName::Transit, "k1")));
        assert!(write!(store, [], |tx| kek_wraps::forget(tx, StoreName::Pkcs11)));
        assert!(!write!(store, [], |tx| kek_wraps::hold(tx, StoreName::Pkcs11, "k1")));
    }
}
