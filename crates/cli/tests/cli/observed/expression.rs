//! The metrics of an expression of Prometheus: `name{label="value"}`, wherever it stands.

/// Each metric of ours, with the labels that are asked of it.
pub fn metrics(expression: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("countersign_") {
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let labels = after.strip_prefix('{').map(labels).unwrap_or_default();
        found.push((name.to_owned(), labels));
        rest = after;
    }
    found
}

/// The names before `=`, `!=`, `=~`, `!~`, up to the brace that closes; values may hold braces.
fn labels(text: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '}' => break,
            ',' => name.clear(),
            '=' | '!' if !name.is_empty() => names.push(std::mem::take(&mut name)),
            '=' | '!' | '~' => {}
            c => name.push(c),
        }
    }
    names
}

#[test]
fn names_and_labels_are_found() {
    let asked = r#"sum(rate(countersign_a_total{x=~"1|{2}",y!="3"}[5m])) / countersign_b > 1"#;
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        metrics(asked),
        [("countersign_a_total".to_owned(), labels(&["x", "y"])), ("countersign_b".to_owned(), labels(&[]))]
    );
}
