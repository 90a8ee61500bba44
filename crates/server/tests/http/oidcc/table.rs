//! `docs/conformance.md` names each module of the plans, and exactly the tests that exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// The modules of each plan, as the suite lists them.
const PLANS: &[(&str, &[&str])] = &[
    ("Basic OP", BASIC),
    ("Config OP", &["oidcc-discovery-endpoint-verification"]),
    ("RP-Initiated Logout OP", LOGOUT),
    (
        "Back-Channel Logout OP",
        &["oidcc-backchannel-logout-discovery-endpoint-verification", "oidcc-backchannel-rp-initiated-logout"],
    ),
    ("Dynamic OP", DYNAMIC),
];

const BASIC: &[&str] = &[
    "oidcc-server",
    "oidcc-response-type-missing",
    "oidcc-idtoken-signature",
    "oidcc-idtoken-unsigned",
    "oidcc-userinfo-get",
    "oidcc-userinfo-post-header",
    "oidcc-userinfo-post-body",
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
    "oidcc-scope-profile",
    "oidcc-scope-email",
    "oidcc-scope-address",
    "oidcc-scope-phone",
    "oidcc-scope-all",
    "oidcc-alternate-happy-flow",
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-prompt-login",
    "oidcc-prompt-none-not-logged-in",
    "oidcc-prompt-none-logged-in",
    "oidcc-max-age-1",
    "oidcc-max-age-10000",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
    "oidcc-id-token-hint",
    "oidcc-login-hint",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-ensure-request-with-acr-values-succeeds",
    "oidcc-codereuse",
    "oidcc-codereuse-30seconds",
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-post-request-succeeds",
    "oidcc-server-client-secret-post",
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-claims-essential",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-refresh-token",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
];

const LOGOUT: &[&str] = &[
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-no-state",
    "oidcc-rp-initiated-logout-only-state",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
];

const DYNAMIC: &[&str] = &[
    "oidcc-discovery-endpoint-verification",
    "oidcc-server",
    "oidcc-ensure-client-assertion-with-iss-aud-succeeds",
    "oidcc-ensure-redirect-uri-in-authorization-request",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-idtoken-rs256",
    "oidcc-idtoken-unsigned",
    "oidcc-redirect-uri-query-OK",
    "oidcc-redirect-uri-query-added",
    "oidcc-redirect-uri-query-mismatch",
    "oidcc-redirect-uri-regfrag",
    "oidcc-refresh-token",
    "oidcc-refresh-token-rp-key-rotation",
    "oidcc-registration-jwks-uri",
    "oidcc-registration-logo-uri",
    "oidcc-registration-policy-uri",
    "oidcc-registration-sector-bad",
    "oidcc-registration-sector-uri",
    "oidcc-registration-tos-uri",
    "oidcc-request-uri-signed-rs256",
    "oidcc-request-uri-unsigned",
    "oidcc-server-rotate-keys",
    "oidcc-userinfo-rs256",
];

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of this folder, and whether each is run against the certified provider, too.
fn tests() -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    for file in fs::read_dir(here().join("tests/http/oidcc")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut checked = None;
        for line in text.lines() {
            match line.strip_prefix("at_").and_then(|line| line.strip_suffix("! {")) {
                Some(site) => checked = Some(site != "ours"),
                None if line == "}" => checked = None,
                None => {}
            }
            let Some(name) = line.trim_start().strip_prefix("async fn oidcc_") else { continue };
            let name = format!("oidcc_{}", name.split('(').next().unwrap());
            let checked = checked.unwrap_or_else(|| panic!("{name} is run nowhere"));
            assert!(found.insert(name.clone(), checked).is_none(), "{name} exists twice");
        }
    }
    found
}

/// A row of a plan's table.
struct Row {
    module: String,
    verdict: String,
    checked: String,
    remark: String,
}

fn rows(page: &str, plan: &str) -> Vec<Row> {
    let section = page.split(&format!("\n## {plan}\n")).nth(1).unwrap_or_else(|| panic!("no section {plan}"));
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")).map(|line| {
        let mut cells = line.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned());
        let mut cell = || cells.next().unwrap();
        Row { module: cell().trim_end_matches('`').to_owned(), verdict: cell(), checked: cell(), remark: cell() }
    });
    cells.collect()
}

// OAU-16: the page cannot claim more, or less, than there is.
#[test]
fn the_page_of_the_book_names_exactly_the_tests_that_exist() {
    let page = fs::read_to_string(here().join("../../docs/conformance.md")).unwrap();
    let (tests, mut named) = (tests(), BTreeSet::new());
    assert!(tests.values().filter(|checked| **checked).count() > 40, "most are checked");
    for (plan, modules) in PLANS {
        let rows = rows(&page, plan);
        let listed: Vec<&str> = rows.iter().map(|row| row.module.as_str()).collect();
        assert_eq!(&listed, modules, "{plan}");
        for Row { module, verdict, checked, remark } in rows {
            let test = module.replace('-', "_");
            match (verdict.as_str(), tests.get(&test)) {
                ("yes" | "partly", Some(true)) => assert_eq!(checked, "yes", "{plan}: {module}"),
                ("yes" | "partly", Some(false)) => {
                    assert!(checked == "no" && remark.contains("oidc-provider"), "{plan}: {module} has no reason");
                }
                ("no", None) => assert!(checked == "no" && !remark.is_empty(), "{plan}: {module} has no reason"),
                other => panic!("{plan}: {module}: {other:?}"),
            }
            named.insert(test);
        }
    }
    let extra: Vec<&String> = tests.keys().filter(|test| !named.contains(*test)).collect();
    assert!(extra.is_empty(), "no module is called so: {extra:?}");
}
