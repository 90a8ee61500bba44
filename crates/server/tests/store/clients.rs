//! Clients.

use std::time::Duration;

use countersign_jose::Algorithm;
use countersign_server::{
    domain::{
        audience_id::AudienceId,
        client::{AccessTokenFormat, ClientId, ClientSettings, Consent, Grant, SecretHash, SignInSettings},
        credential::{ClientKeys, Credential, Keys, KeysUri},
        encryption::Encryption,
        logout_uri::LogoutUri,
        redirect::RedirectUri,
        revocation::{Entry, Scope},
        roles::Role,
        rsn::Rsn,
        subject::Sector,
        time::Timestamp,
    },
    store::{
        Store,
        clients::{self, Client, NewClient, Removal},
    },
};

use crate::both_databases;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
/// The public half of a key pair that nobody has (RFC 7517, appendix A.1, with the algorithm of another purpose).
const RECIPIENT: &[u8] = br#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","alg":"ECDH-ES","kid":"1"}"#;
const SCOPE: Scope<'_> = Scope { issuer: "https://id.example", tenant: "default" };

fn new_client(id: &str) -> NewClient {
    NewClient {
        id: ClientId::parse(id).unwrap(),
        tenant: "default".to_owned(),
        settings: ClientSettings {
            name: "Orders".to_owned(),
            scopes: "stock:read stock:write".parse().unwrap(),
            audiences: AudienceId::parse_list("warehouse api").unwrap(),
            grants: [Grant::ClientCredentials].into_iter().collect(),
            roles: Role::parse_list("service").unwrap(),
            alg: Some(Algorithm::Ed25519),
            serves: Vec::new(),
            access_token_ttl: Some(Duration::from_secs(300)),
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: true,
            access_token_format: AccessTokenFormat::Opaque,
            exchanges: AudienceId::parse_list("bills stock").unwrap(),
            sign_in: SignInSettings {
                redirect_uris: RedirectUri::parse_list("https://orders.example/cb http://127.0.0.1/cb").unwrap(),
                post_logout_redirect_uris: RedirectUri::parse_list("https://orders.example/").unwrap(),
                backchannel_logout_uri: Some(LogoutUri::parse("https://orders.example/out").unwrap()),
                consent: Consent::Implied,
                id_token_alg: Some(Algorithm::RS256),
                id_token_encryption: Some(Encryption::parse(RECIPIENT, Some("A128CBC-HS256")).unwrap()),
                userinfo_alg: Some(Algorithm::ES384),
                sector: Some(Sector::parse("orders.example").unwrap()),
                require_pushed: true,
                require_signed: true,
                required_level: countersign_server::domain::assurance::Level::Two,
            },
        },
        credential: Credential::Secret(SecretHash::generate([1; 32]).1.into()),
        builtin: false,
        created_at: NOW,
    }
}

fn entry(id: &ClientId) -> Entry {
    Entry::client(SCOPE, id.as_str(), NOW, Duration::from_secs(600))
}

async fn add(store: &Store, client: NewClient) -> ClientId {
    assert!(write!(store, [client], |tx| clients::insert(tx, &client)));
    client.id
}

async fn get(store: &Store, id: &ClientId) -> Option<Client> {
    read!(store, [id], |tx| clients::by_id(tx, &id))
}

both_databases! {
    async fn a_client_is_found_as_inserted(store: Store) {
        let new = new_client("orders");
        let id = add(&store, new.clone()).await;
        let expected = Client {
            id: id.clone(),
            tenant: "default".to_owned(),
            settings: new.settings,
            credential: new.credential,
            builtin: false,
            registered: false,
            disabled_at: None,
            created_at: NOW,
            min_rsn: Rsn::default(),
            token_rsn: Rsn::default(),
        };
        assert_eq!(get(&store, &id).await.as_ref(), Some(&expected));
        let state = read!(store, [id], |tx| clients::state(tx, &id));
        assert_eq!((state.head, state.client), (Rsn::default(), Some(expected)));
        let again = NewClient { credential: Credential::None, ..new_client("orders") };
        assert!(!write!(store, [again], |tx| clients::insert(tx, &again)));
        let nobody = ClientId::parse("nobody").unwrap();
        assert!(read!(store, [nobody], |tx| clients::state(tx, &nobody)).client.is_none());
    }

    async fn settings_are_replaced(store: Store) {
        let id = add(&store, new_client("orders")).await;
        let settings = ClientSettings {
            name: "Renamed".to_owned(),
            refresh_idle: Some(Duration::from_secs(60)),
            access_token_ttl: None,
            ..new_client("orders").settings
        };
        assert!(write!(store, [id, settings], |tx| clients::update(tx, &id, &settings)));
        assert_eq!(get(&store, &id).await.unwrap().settings, settings);
        let nobody = ClientId::parse("nobody").unwrap();
        assert!(!write!(store, [nobody, settings], |tx| clients::update(tx, &nobody, &settings)));
    }

    // OAU-08: the old secret is good until then and the one before it is not; a public client gets none by it.
    async fn secrets_are_rotated(store: Store) {
        let id = add(&store, new_client("orders")).await;
        let (first, _) = SecretHash::generate([1; 32]);
        let until = NOW.plus(Duration::from_secs(60));
        let mut plain = vec![first];
        for seed in [2, 3] {
            let (new, hash) = SecretHash::generate([seed; 32]);
            assert!(write!(store, [id, hash], |tx| clients::rotate_secret(tx, &id, &hash, until)));
            plain.push(new);
        }
        let Credential::Secret(stored) = get(&store, &id).await.unwrap().credential else { panic!("no secret") };
        let good = |now| plain.iter().map(|secret| stored.matches(secret, now)).collect::<Vec<_>>();
        assert_eq!((good(NOW), good(until)), (vec![false, true, true], vec![false, false, true]));
        let hash = SecretHash::generate([4; 32]).1;
        let public = add(&store, NewClient { credential: Credential::None, ..new_client("app") }).await;
        assert!(!write!(store, [public, hash], |tx| clients::rotate_secret(tx, &public, &hash, until)));
    }

    // OAU-08: keys take the place of a secret, and nothing is left of it; a public client gets none.
    async fn keys_replace_what_was_there(store: Store) {
        let id = add(&store, new_client("orders")).await;
        let keys = Keys::Registered(ClientKeys::stored(r#"{"keys":[]}"#.to_owned()));
        assert!(write!(store, [id, keys], |tx| clients::set_keys(tx, &id, &keys)));
        assert_eq!(get(&store, &id).await.unwrap().credential, Credential::Keys(keys.clone()));
        let hash = SecretHash::generate([4; 32]).1;
        assert!(!write!(store, [id, hash], |tx| clients::rotate_secret(tx, &id, &hash, NOW)));
        let born = add(&store, NewClient { credential: Credential::Keys(keys.clone()), ..new_client("bills") }).await;
        assert_eq!(get(&store, &born).await.unwrap().credential, Credential::Keys(keys.clone()));
        let public = add(&store, NewClient { credential: Credential::None, ..new_client("app") }).await;
        assert!(!write!(store, [public, keys], |tx| clients::set_keys(tx, &public, &keys)));
        // And the other way round, and back.
        let uri = Keys::Published(KeysUri::parse("https://orders.example/keys").unwrap());
        let grown = add(&store, NewClient { credential: Credential::Keys(uri.clone()), ..new_client("stock") }).await;
        for keys in [uri, keys] {
            assert!(write!(store, [id, keys], |tx| clients::set_keys(tx, &id, &keys)));
            assert!(write!(store, [grown, keys], |tx| clients::set_keys(tx, &grown, &keys)));
            for id in [&id, &grown] {
                assert_eq!(get(&store, id).await.unwrap().credential, Credential::Keys(keys.clone()));
            }
        }
    }

    // REF-11: disabling a client is a hard end, once.
    async fn disabling_is_a_hard_end(store: Store) {
        let id = add(&store, new_client("orders")).await;
        let ended = write!(store, [id], |tx| clients::disable(tx, &id, &entry(&id), NOW)).unwrap();
        assert_eq!(write!(store, [id], |tx| clients::disable(tx, &id, &entry(&id), NOW)), None);
        let client = get(&store, &id).await.unwrap();
        assert_eq!((client.min_rsn, client.disabled_at), (ended, Some(NOW)));
        assert!(write!(store, [id], |tx| clients::enable(tx, &id)));
        let client = get(&store, &id).await.unwrap();
        assert_eq!((client.min_rsn, client.disabled_at), (ended, None));
    }

    // TOK-20: the name of a removed client is never given again.
    async fn a_removed_client_is_gone_and_its_name_stays_taken(store: Store) {
        let id = add(&store, new_client("orders")).await;
        let removed = write!(store, [id], |tx| clients::remove(tx, &id, &entry(&id), NOW));
        let Removal::Removed { rsn } = removed else { panic!("{removed:?}") };
        let state = read!(store, [id], |tx| clients::state(tx, &id));
        assert!(state.client.is_none() && state.head == rsn);
        assert!(get(&store, &id).await.is_none());
        assert!(read!(store, [], |tx| clients::list(tx, "default", "", 9)).is_empty());
        let again = new_client("orders");
        assert!(!write!(store, [again], |tx| clients::insert(tx, &again)));
        assert!(!write!(store, [id], |tx| clients::enable(tx, &id)));
        assert_eq!(write!(store, [id], |tx| clients::remove(tx, &id, &entry(&id), NOW)), Removal::NoClient);
        let builtin = add(&store, NewClient { builtin: true, ..new_client("built-in") }).await;
        assert_eq!(write!(store, [builtin], |tx| clients::remove(tx, &builtin, &entry(&builtin), NOW)), Removal::Builtin);
    }

    async fn lists_go_page_by_page(store: Store) {
        for id in ["c", "a", "b"] {
            add(&store, new_client(id)).await;
        }
        let ids = async |after: &'static str| -> Vec<String> {
            let page = read!(store, [], |tx| clients::list(tx, "default", after, 2));
            page.into_iter().map(|client| client.id.to_string()).collect()
        };
        assert_eq!(ids("").await, ["a", "b"]);
        assert_eq!(ids("b").await, ["c"]);
    }
}
