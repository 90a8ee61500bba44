//! `countersign bench revocation` against a server of our own: it measures, and leaves nothing behind.

use std::fs;

use serde_json::Value;

use crate::rig::Rig;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn clients(rig: &Rig) -> Vec<String> {
    let (list, _) = rig.expect(0, &["--json", "client", "list"], "");
    let items = json(&list)["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["client_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_running_server_is_measured_with_a_client_that_goes_again() {
    let rig = Rig::new();
    let (_, err) = rig.expect(3, &["bench", "revocation"], "");
    assert!(err.contains("there is no data folder"), "{err}");
    let _server = rig.serve(&[]);
    let before = clients(&rig);
    let (out, _) = rig.expect(0, &["--json", "bench", "revocation", "--verifiers", "3", "--rounds", "4"], "");
    let told = json(&out);
    assert_eq!((&told["verifiers"], &told["rounds"]), (&Value::from(3), &Value::from(4)));
    assert_eq!(told["accepted_again"], 0);
    for what in ["from_request_ms", "answer_ms", "lag_ms"] {
        assert!(told[what]["max"].as_f64().unwrap() > 0.0, "{what}: {told}");
    }
    assert_eq!(clients(&rig), before);
}

#[test]
fn any_issuer_is_measured_with_a_client_of_yours() {
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    let (added, _) = rig.expect(0, &["--json", "client", "add", "meter"], "");
    let secret = rig.folder.path().join("meter.secret");
    fs::write(&secret, json(&added)["client_secret"].as_str().unwrap()).unwrap();
    let issuer = format!("http://localhost:{}", rig.address.port());
    let measure = |secret: &str| {
        let arguments =
            ["bench", "revocation", "--issuer", &issuer, "--client-id", "meter", "--client-secret-file", secret];
        let arguments: Vec<&str> = arguments.into_iter().chain(["--verifiers", "2", "--rounds", "2"]).collect();
        rig.run(&arguments, "wrong\n")
    };
    let output = measure(secret.to_str().unwrap());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("request to refusal") && out.contains("4 refusals: 2 tokens, 2 verifiers"), "{out}");
    assert!(err.contains("Nothing else is ended"), "{err}");
    assert!(clients(&rig).contains(&"meter".to_owned()));

    let refused = measure("-");
    assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
    rig.expect(2, &["bench", "revocation", "--issuer", &issuer], "");
}
