//! Users and their roles.

use std::time::Duration;

use countersign_server::{
    domain::{
        email::{Email, EmailKey},
        revocation::{Entry, Scope},
        roles::{Role, RoleGrant, effective},
        rsn::{self, Rsn},
        time::Timestamp,
        user::{Attributes, UserId},
    },
    store::{
        Store, revocations,
        roles::{self, RolesSet},
        users::{self, Listing, NewHash, NewUser, SignInState},
    },
};

use crate::both_databases;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const SCOPE: Scope<'_> = Scope { issuer: "https://id.example", tenant: "default" };

fn new_user(n: u8, email: &str) -> NewUser {
    NewUser {
        id: UserId::new([n; 16]),
        tenant: "default".to_owned(),
        email: Email::parse(email).unwrap(),
        email_verified_at: None,
        password_hash: Some(format!("$hash{n}")),
        created_at: NOW,
    }
}

fn entry(id: &UserId) -> Entry {
    Entry::user(SCOPE, id.as_str(), NOW, Duration::from_secs(600))
}

async fn add(store: &Store, n: u8, email: &str) -> UserId {
    let user = new_user(n, email);
    assert!(write!(store, [user], |tx| users::insert(tx, &user)));
    user.id
}

async fn sign_in_state(store: &Store, email: &str) -> SignInState {
    let key = Email::parse(email).unwrap().key().clone();
    read!(store, [key], |tx| users::sign_in_state(tx, "default", &key))
}

async fn head(store: &Store) -> Rsn {
    read!(store, [], |tx| revocations::head(tx)).rsn
}

fn grant(audience: &str, role: &str) -> RoleGrant {
    RoleGrant { audience: Some(audience.to_owned()).filter(|name| !name.is_empty()), role: Role::parse(role).unwrap() }
}

both_databases! {
    async fn a_user_is_found_as_inserted(store: Store) {
        let id = add(&store, 1, "Ada@Example.com").await;
        let user = read!(store, [id], |tx| users::by_id(tx, &id)).unwrap();
        assert_eq!((user.email.as_str(), user.has_password, user.disabled_at), ("Ada@example.com", true, None));
        assert_eq!((user.created_at, user.password_changed_at), (NOW, Some(NOW)));
        assert_eq!((user.min_rsn, user.attributes), (Rsn::default(), Attributes::default()));
        let key = Email::parse("ada@example.com").unwrap().key().clone();
        assert_eq!(read!(store, [key], |tx| users::by_email(tx, "default", &key)).unwrap().id, id);
        assert!(read!(store, [key], |tx| users::by_email(tx, "other", &key)).is_none());
    }

    // LOG-05: a known address is a value, not an error, whatever its spelling; nothing is overwritten.
    async fn a_known_address_is_a_value(store: Store) {
        add(&store, 1, "ada@example.com").await;
        let again = new_user(2, "ADA@EXAMPLE.COM");
        assert!(!write!(store, [again], |tx| users::insert(tx, &again)));
        let user = sign_in_state(&store, "ada@example.com").await.user.unwrap();
        assert_eq!(user.password_hash.as_deref(), Some("$hash1"));
    }

    // R1: the head is there for unknown users too, and a sign-in that begins after a revocation outlives it.
    async fn a_sign_in_reads_head_and_user_at_once(store: Store) {
        assert!(sign_in_state(&store, "nobody@example.com").await.user.is_none());
        let id = add(&store, 1, "ada@example.com").await;
        let before = sign_in_state(&store, "ada@example.com").await;
        let ended = write!(store, [id], |tx| users::disable(tx, &id, &entry(&id), NOW)).unwrap();
        let after = sign_in_state(&store, "ada@example.com").await;
        assert_eq!((after.head, head(&store).await), (ended, ended));
        let user = after.user.unwrap();
        assert!(user.disabled_at.is_some() && user.min_rsn == ended);
        assert!(rsn::of_sign_in(before.head, before.user.unwrap().min_rsn) < ended);
        assert!(rsn::of_sign_in(after.head, user.min_rsn) >= ended);
        let by_id = read!(store, [id], |tx| users::sign_in_state_by_id(tx, &id));
        assert_eq!(by_id.user.unwrap().min_rsn, ended);
    }

    // RLO-08: disabling ends everything once; again it appends nothing. Enabling revives nothing.
    async fn disabling_is_a_hard_end(store: Store) {
        let id = add(&store, 1, "ada@example.com").await;
        let ended = write!(store, [id], |tx| users::disable(tx, &id, &entry(&id), NOW)).unwrap();
        assert_eq!(write!(store, [id], |tx| users::disable(tx, &id, &entry(&id), NOW)), None);
        assert_eq!(head(&store).await, ended);
        assert!(write!(store, [id], |tx| users::enable(tx, &id)));
        assert!(!write!(store, [id], |tx| users::enable(tx, &id)));
        let user = read!(store, [id], |tx| users::by_id(tx, &id)).unwrap();
        assert_eq!((user.disabled_at, user.min_rsn), (None, ended));
        let nobody = UserId::new([9; 16]);
        assert_eq!(write!(store, [nobody], |tx| users::disable(tx, &nobody, &entry(&nobody), NOW)), None);
    }

    // REF-11: a password change ends every session, and only the one who knew the current password makes it.
    async fn a_password_change_is_guarded_and_a_hard_end(store: Store) {
        let id = add(&store, 1, "ada@example.com").await;
        let wrong = write!(store, [id], |tx| async {
            let hash = NewHash { user: &id, old: Some("$other"), new: "$new" };
            users::set_password(tx, &hash, &entry(&id), NOW).await
        });
        assert_eq!((wrong, head(&store).await), (None, Rsn::default()));
        let later = NOW.plus(Duration::from_secs(5));
        let ended = write!(store, [id], |tx| async {
            let hash = NewHash { user: &id, old: Some("$hash1"), new: "$new" };
            users::set_password(tx, &hash, &entry(&id), later).await
        });
        let user = read!(store, [id], |tx| users::by_id(tx, &id)).unwrap();
        assert_eq!((Some(user.min_rsn), user.password_changed_at), (ended, Some(later)));
        let forced = write!(store, [id], |tx| async {
            users::set_password(tx, &NewHash { user: &id, old: None, new: "$forced" }, &entry(&id), later).await
        });
        assert!(forced > ended);
        let state = sign_in_state(&store, "ada@example.com").await;
        assert_eq!(state.user.unwrap().password_hash.as_deref(), Some("$forced"));
    }

    // LOG-01: the same password with newer parameters ends nothing, and never undoes a change made meanwhile.
    async fn a_renewed_hash_ends_nothing(store: Store) {
        let id = add(&store, 1, "ada@example.com").await;
        for (expected, done) in [(Some("$hash1"), true), (Some("$hash1"), false), (None, false)] {
            let renewed = write!(store, [id], |tx| async {
                users::renew_hash(tx, &NewHash { user: &id, old: expected, new: "$stronger" }).await
            });
            assert_eq!(renewed, done);
        }
        assert_eq!(head(&store).await, Rsn::default());
        let user = read!(store, [id], |tx| users::by_id(tx, &id)).unwrap();
        assert_eq!((user.min_rsn, user.password_changed_at), (Rsn::default(), Some(NOW)));
    }

    async fn attributes_are_replaced(store: Store) {
        let id = add(&store, 1, "ada@example.com").await;
        let attributes = Attributes::parse(r#"{"plan":"gold","beta":true}"#).unwrap();
        assert!(write!(store, [id, attributes], |tx| users::set_attributes(tx, &id, &attributes)));
        assert_eq!(read!(store, [id], |tx| users::by_id(tx, &id)).unwrap().attributes, attributes);
    }

    async fn lists_go_page_by_page_and_search_by_the_beginning(store: Store) {
        for (n, email) in (0..).zip(["dora@example.com", "Bob@example.com", "ada@example.com", "bo%b@example.com", "bob@x.example"]) {
            add(&store, n, email).await;
        }
        let listing = |prefix: &str, after: &str, limit| Listing {
            tenant: "default".to_owned(),
            prefix: EmailKey::prefix(prefix),
            after: after.to_owned(),
            limit,
        };
        let emails = async |listing: Listing| -> Vec<String> {
            let page = read!(store, [listing], |tx| users::list(tx, &listing));
            page.into_iter().map(|user| user.email).collect()
        };
        assert_eq!(emails(listing("", "", 2)).await, ["ada@example.com", "bo%b@example.com"]);
        assert_eq!(emails(listing("", "bo%b@example.com", 2)).await, ["Bob@example.com", "bob@x.example"]);
        assert_eq!(emails(listing("", "bob@x.example", 2)).await, ["dora@example.com"]);
        assert_eq!(emails(listing("BOB@", "", 9)).await, ["Bob@example.com", "bob@x.example"]);
        assert_eq!(emails(listing("bo%", "", 9)).await, ["bo%b@example.com"]);
        assert!(emails(listing("zz", "", 9)).await.is_empty());
    }

    // Roles: a soft end. Tokens below are dead, sessions live; setting the same roles changes nothing.
    async fn roles_are_set_and_outdate_tokens_only(store: Store) {
        let id = add(&store, 1, "ada@example.com").await;
        let wanted = vec![grant("api", "buyer"), grant("", "staff"), grant("", "staff")];
        let set = write!(store, [id, wanted], |tx| roles::set(tx, &id, &wanted, &entry(&id), NOW));
        let RolesSet::Changed { rsn } = set else { panic!("{set:?}") };
        let user = read!(store, [id], |tx| users::by_id(tx, &id)).unwrap();
        assert_eq!((user.token_rsn, user.min_rsn), (rsn, Rsn::default()));
        let had = read!(store, [id], |tx| roles::of_user(tx, &id));
        assert_eq!(had, [grant("", "staff"), grant("api", "buyer")]);
        assert_eq!(effective(&had, &["api"]), ["buyer", "staff"]);

        let same = write!(store, [id, wanted], |tx| roles::set(tx, &id, &wanted, &entry(&id), NOW));
        assert_eq!((same, head(&store).await), (RolesSet::Unchanged, rsn));
        let cleared = write!(store, [id], |tx| roles::set(tx, &id, &[], &entry(&id), NOW));
        assert!(matches!(cleared, RolesSet::Changed { rsn: newer } if newer > rsn));
        assert!(read!(store, [id], |tx| roles::of_user(tx, &id)).is_empty());
        let nobody = UserId::new([9; 16]);
        let set = write!(store, [nobody], |tx| roles::set(tx, &nobody, &[], &entry(&nobody), NOW));
        assert_eq!(set, RolesSet::NoUser);
    }

    // ADM-07
    async fn the_last_administrator_is_known(store: Store) {
        let (first, second) = (add(&store, 1, "a@example.com").await, add(&store, 2, "b@example.com").await);
        let admin = Role::parse("admin").unwrap();
        for (id, audience) in [(&first, ""), (&second, "admin"), (&second, "")] {
            let wanted = vec![grant(audience, "admin")];
            write!(store, [id, wanted], |tx| roles::set(tx, &id, &wanted, &entry(&id), NOW));
        }
        let others = async |id: &UserId| read!(store, [id, admin], |tx| roles::count_others(tx, &id, "admin", &admin));
        assert_eq!((others(&first).await, others(&second).await), (1, 1));
        write!(store, [second], |tx| users::disable(tx, &second, &entry(&second), NOW));
        assert_eq!((others(&first).await, others(&second).await), (0, 1));
    }
}
