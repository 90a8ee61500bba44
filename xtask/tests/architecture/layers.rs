//! Load, decide, save: what each layer must not know.

use crate::source::{Source, sources, words};

const DOMAIN: &str = "crates/server/src/domain/";
const STORE: &str = "crates/server/src/store/";

/// The places where one of `forbidden` is a word of the code.
fn uses(files: &[&Source], forbidden: &[&str]) -> Vec<String> {
    let found = |file: &Source| {
        forbidden
            .iter()
            .filter(|word| file.has_word(word))
            .map(|word| format!("{}: {word}", file.path))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(|file| found(file)).collect()
}

fn starts_statement(text: &str) -> bool {
    let mut words = text.split_whitespace();
    matches!(
        (words.next(), words.next()),
        (Some("SELECT"), Some(_))
            | (Some("INSERT"), Some("INTO"))
            | (Some("UPDATE"), Some(_))
            | (Some("DELETE"), Some("FROM"))
    )
}

#[test]
fn the_domain_is_pure() {
    let all = sources();
    let domain: Vec<_> = all.iter().filter(|file| file.is_under(DOMAIN) && !file.is_test()).collect();
    assert!(!domain.is_empty());
    let forbidden = [
        "async",
        "await",
        "axum",
        "hyper",
        "tower",
        "tokio",
        "rusqlite",
        "tokio_postgres",
        "Tx",
        "Clock",
        "Random",
        "SystemTime",
        "Instant",
    ];
    assert_eq!(uses(&domain, &forbidden), Vec::<String>::new(), "domain/ decides; it neither waits, loads nor draws");
    for file in domain {
        for module in ["crate::http", "crate::store", "crate::app", "crate::clock", "crate::random", "aws_lc_rs::rand"]
        {
            assert!(!file.code.contains(module), "{}: {module}", file.path);
        }
        assert!(!file.texts.iter().any(|text| starts_statement(text)), "{} holds SQL", file.path);
    }
}

#[test]
fn the_store_knows_no_http() {
    let all = sources();
    let store: Vec<_> = all.iter().filter(|file| file.is_under(STORE) && !file.is_test()).collect();
    assert!(!store.is_empty());
    assert_eq!(uses(&store, &["axum", "hyper", "tower"]), Vec::<String>::new());
    for file in store {
        assert!(!file.code.contains("crate::http"), "{}: crate::http", file.path);
    }
}

#[test]
fn statements_stand_in_the_store_only() {
    for file in sources() {
        let product = file.path.contains("/src/") && file.is_under("crates/");
        if product && !file.is_under(STORE) && !file.is_test() {
            assert!(
                !file.texts.iter().any(|text| starts_statement(text)),
                "{} holds SQL; it belongs in store/",
                file.path
            );
        }
    }
}

/// The tables of algorithms, and names that nothing else may list.
const TABLES: [(&str, &[&str]); 2] = [
    ("crates/jose/src/alg.rs", &["HS256", "RS256", "PS256", "ES256", "ES384", "Ed25519", "HS384", "HS512"]),
    (
        "crates/jose/src/jwe/alg.rs",
        &["A128KW", "A256KW", "A256GCMKW", "RsaOaep", "RsaOaep256", "EcdhEs", "EcdhEsA256KW", "A128GCM", "A256GCM"],
    ),
];

/// Three names in one file are a list, and lists of algorithms live in one table: one of those that sign, one of those that encrypt.
#[test]
fn algorithms_are_enumerated_in_one_table() {
    for file in sources() {
        let product = file.path.contains("/src/") && (file.is_under("crates/") || file.is_under("examples/"));
        if !product || file.is_test() {
            continue;
        }
        let code: Vec<&str> = words(&file.code).collect();
        for (table, names) in TABLES.iter().filter(|(table, _)| file.path != *table) {
            let named = names.iter().filter(|name| code.contains(name) || file.texts.iter().any(|text| text == *name));
            let named: Vec<_> = named.collect();
            assert!(named.len() < 3, "{} lists algorithms: {named:?}; ask {table} instead", file.path);
        }
    }
}
