//! The dashboard and the alert rules, over the metrics that a running server really has, and in a real Prometheus.

mod expression;
mod prometheus;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use self::prometheus::Prometheus;
use crate::{
    live::{Live, wait},
    rig::{PASSWORD, member, text},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rules() -> String {
    fs::read_to_string(root().join("ops/prometheus/alerts.yml")).unwrap()
}

/// Name and expression of each alert.
fn alerts() -> Vec<(String, String)> {
    let text = rules();
    let values = |key: &str| -> Vec<String> {
        let of = |line: &str| line.trim().strip_prefix(key).map(|value| value.trim().trim_matches('\'').to_owned());
        text.lines().filter_map(of).collect()
    };
    let (names, expressions) = (values("- alert:"), values("expr:"));
    assert!(names.len() > 12 && names.len() == expressions.len());
    names.into_iter().zip(expressions).collect()
}

/// Title and expression of everything that the dashboard shows.
fn panels() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("ops/grafana/countersign.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut all = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap().replace("$instance", ".*");
            all.push((panel["title"].as_str().unwrap().to_owned(), expression));
        }
    }
    let variable = dashboard["templating"]["list"][1]["query"].as_str().unwrap();
    let metric = variable.strip_prefix("label_values(").and_then(|rest| rest.split(',').next()).unwrap();
    all.push(("the list of servers".to_owned(), metric.to_owned()));
    assert!(all.len() > 20);
    all
}

/// A server to which everything has happened that is counted.
fn busy() -> (Live, String) {
    let listen = format!("127.0.0.1:{}", prometheus::free_port());
    // A key store that is not in use and does not answer.
    let configuration = format!(
        "metrics.listen = \"{listen}\"\nkeys.transit.address = \"http://127.0.0.1:9\"\nkeys.transit.token_env = \"BAO_TOKEN\"\nrefresh.grace = \"0s\"\n"
    );
    let live = Live::start(&configuration, &[("BAO_TOKEN", "none".to_owned())]);
    let account = |password: &str| format!(r#"{{"email":"ada@example.com","password":"{password}"}}"#);
    let rig = &live.rig;
    assert_eq!(rig.json("/register", &account(PASSWORD)).unwrap().0, 201);
    assert_eq!(rig.json("/login", &account("another battery staple")).unwrap().0, 401);
    let (_, body) = rig.json("/login", &account(PASSWORD)).unwrap();
    let refresh = |token: &str| {
        let form = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
        rig.http("POST", "/token", "application/x-www-form-urlencoded", &form).unwrap()
    };
    let first = member(&body, "refresh_token");
    let second = member(&refresh(&first).1, "refresh_token");
    let third = member(&refresh(&second).1, "refresh_token");
    assert_eq!((refresh(&first).0, refresh(&third).0), (400, 400));
    rig.expect(3, &["key", "move", "--to", "transit"], "");
    let mailed = || metrics(&live).contains_key("countersign_mails_total").then_some(());
    wait(mailed).expect("the mail of the registration is written");
    (live, listen)
}

/// The metrics of a server that has labels, and which.
fn metrics(live: &Live) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = live.rig.admin("GET", "/metrics", "").unwrap().1;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        for (name, labels) in expression::metrics(line.rsplit_once(' ').unwrap().0) {
            found.entry(name).or_default().extend(labels);
        }
    }
    found
}

#[test]
fn the_rules_are_understood_and_each_comes_when_it_should_and_not_else() {
    let folder = tempfile::tempdir().unwrap();
    let tests = include_str!("alerts_test.yml");
    fs::write(folder.path().join("alerts.yml"), rules()).unwrap();
    fs::write(folder.path().join("alerts_test.yml"), tests).unwrap();
    let promtool = |arguments: &[&str]| {
        let output = Command::new("promtool").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    };
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["test", "rules", "alerts_test.yml"]);
    let book = fs::read_to_string(root().join("docs/alerts.md")).unwrap();
    for (name, _) in alerts() {
        assert!(tests.contains(&format!("name: {name} comes\n")), "{name}");
        assert!(tests.contains(&format!("name: {name} does not come\n")), "{name}");
        assert!(book.contains(&format!("\n## {name}\n")), "{name} is not in docs/alerts.md");
        assert!(rules().contains(&format!("alerts.md#{}'", name.to_lowercase())), "{name}");
    }
}

#[test]
fn prometheus_finds_everything_that_the_rules_and_the_dashboard_ask_for() {
    let (live, listen) = busy();
    let known = metrics(&live);
    for (from, asked) in alerts().iter().chain(&panels()) {
        for (name, labels) in expression::metrics(asked) {
            let has = known.get(&name).unwrap_or_else(|| panic!("{from} asks for {name}, which no server has"));
            let strange: Vec<_> = labels.iter().filter(|label| !has.contains(*label) && *label != "instance").collect();
            assert!(strange.is_empty(), "{from}: {name} has no label {strange:?}");
        }
    }
    let prometheus = Prometheus::start(&listen, &rules());
    wait(|| (prometheus.query("up{job=\"countersign\"}") == ["1"]).then_some(())).expect("Prometheus sees the server");
    // Nothing of these has happened to this server.
    let empty = ["Errors of the server", "Certificate expires"];
    for (title, asked) in panels().iter().filter(|(title, _)| !empty.contains(&title.as_str())) {
        wait(|| (!prometheus.query(asked).is_empty()).then_some(())).unwrap_or_else(|| panic!("{title}: no data"));
    }
    let healthy = || {
        let rules = prometheus.get("/api/v1/rules");
        let rules = rules["data"]["groups"][0]["rules"].as_array()?.clone();
        (rules.len() == alerts().len() && rules.iter().all(|rule| rule["health"] == "ok")).then_some(())
    };
    wait(healthy).expect("every rule is evaluated");
    // What goes wrong at the server arrives there.
    let active = || {
        let alerts = prometheus.get("/api/v1/alerts");
        let names = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        names.iter().map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!active().contains(&"CountersignReloadRefused".to_owned()));
    assert!(live.reload("nonsense = 1\n").contains("was not read anew"));
    wait(|| active().contains(&"CountersignReloadRefused".to_owned()).then_some(())).expect("the alert is on its way");
}
