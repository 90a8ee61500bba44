//! Audiences.

use std::time::Duration;

use countersign_jose::Algorithm;
use countersign_server::{
    domain::{
        audience::{AudienceRules, ClaimMap},
        rights::Permits,
        time::Timestamp,
    },
    store::audiences::{self, Audience},
};

use crate::both_databases;

fn audience(name: &str) -> Audience {
    Audience {
        rules: AudienceRules {
            encryption: None,
            audience: name.to_owned(),
            alg: Algorithm::HS256,
            claims: ClaimMap::parse(r#"{"plan":"billing_plan"}"#).unwrap(),
            required_role: Some("tester".to_owned()),
            disabled_scopes: countersign_server::domain::scope::Scope::default(),
            permissions: Some(Permits::default()),
            access_token_ttl: Some(Duration::from_secs(60)),
        },
        tenant: "default".to_owned(),
        name: "Orders".to_owned(),
        scopes: "read write".parse().unwrap(),
        sealed_secret: Some(vec![1, 2, 3]),
        created_at: Timestamp::from_secs(1_790_000_000),
    }
}

both_databases! {
    async fn an_audience_is_found_as_inserted(store: Store) {
        let new = audience("https://orders.example");
        assert!(write!(store, [new], |tx| audiences::insert(tx, &new)));
        assert!(!write!(store, [new], |tx| audiences::insert(tx, &new)));
        let found = read!(store, [], |tx| audiences::rules(tx, "https://orders.example"));
        assert_eq!(found, Some(new.rules.clone()));
        assert_eq!(read!(store, [], |tx| audiences::rules(tx, "https://orders.example/")), None);
        assert_eq!(read!(store, [], |tx| audiences::list(tx, "default", "", 9)), [new]);
    }

    async fn lists_go_page_by_page(store: Store) {
        for name in ["c", "a", "b"] {
            let new = audience(name);
            write!(store, [new], |tx| audiences::insert(tx, &new));
        }
        let names = async |after: &'static str| -> Vec<String> {
            let page = read!(store, [], |tx| audiences::list(tx, "default", after, 2));
            page.into_iter().map(|audience| audience.rules.audience).collect()
        };
        assert_eq!(names("").await, ["a", "b"]);
        assert_eq!(names("b").await, ["c"]);
    }
}
