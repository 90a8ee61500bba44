//! What the program says it was built from, and what it is made of.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    peers,
    rig::{BINARY, Rig, text},
};

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_short_version_is_one_line_and_the_long_one_says_what_it_was_built_from() {
    let short = ran(Command::new(BINARY).arg("--version"));
    assert_eq!(short, format!("countersign {}\n", env!("CARGO_PKG_VERSION")));
    let long = ran(Command::new(BINARY).args(["--version", "--verbose"]));
    assert!(long.starts_with(&short) && long.contains("rustc") && long.contains("aws lc"), "{long}");
    let json: Value =
        serde_json::from_str(&ran(Command::new(BINARY).args(["--version", "--verbose", "--json"]))).unwrap();
    let says = |name: &str, part: &str| assert!(json[name].as_str().unwrap().contains(part), "{name}: {json}");
    says("rustc", "rustc 1.");
    says("target", std::env::consts::ARCH);
    says("sqlite", "3.");
    says("features", "failpoints");
    says("profile", "debug");
    says("commit", "not recorded in a debug build");
    // The schema is the one that it makes.
    let rig = Rig::new();
    let _server = rig.serve(&[]);
    let (out, _) = rig.expect(0, &["doctor"], "");
    assert!(out.contains(&format!("schema {}\n", json["schema"].as_str().unwrap())), "{out}");
}

/// What the build script says in a folder, as a release build asks it.
fn script_says(script: &Path, root: &Path) -> BTreeMap<String, String> {
    let mut command = Command::new(script);
    command.env("CARGO_MANIFEST_DIR", root.join("crates/cli")).env("PROFILE", "release").env("TARGET", "t");
    // A repository around the temporary folder is not ours; nor is one that a hook of Git names.
    command.env_remove("SOURCE_DATE_EPOCH").env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
    let out = ran(&mut command);
    let pairs = out.lines().filter_map(|line| line.strip_prefix("cargo::rustc-env=BUILT_")?.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Debug builds do not ask Git, so the script itself is run: in a repository, in an archive made of it, and in neither.
#[test]
fn a_release_knows_its_commit_from_git_or_from_a_source_archive() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let temp = tempfile::tempdir().unwrap();
    let script = temp.path().join("script");
    ran(Command::new("rustc").args(["--edition", "2024", "-o"]).arg(&script).arg(ours.join("crates/cli/build.rs")));

    let root = temp.path().join("repository");
    fs::create_dir_all(root.join("crates/cli")).unwrap();
    fs::create_dir(root.join("release")).unwrap();
    fs::write(root.join("crates/cli/keep"), "").unwrap();
    for name in [".gitattributes", "release/commit", "Cargo.lock"] {
        fs::copy(ours.join(name), root.join(name)).unwrap();
    }
    assert_eq!(script_says(&script, &root)["COMMIT"], "unknown");

    let git = |args: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        ran(Command::new("git").current_dir(&root).args(who).args(args)).trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    let (commit, date) = (git(&["rev-parse", "HEAD"]), git(&["log", "-1", "--format=%ct"]));
    let said = script_says(&script, &root);
    assert_eq!((&said["COMMIT"], said["TREE"].as_str(), &said["DATE"]), (&commit, "clean", &date));
    assert!(said["AWS_LC"].contains('.') && said["RUSTC"].starts_with("rustc 1."), "{said:?}");
    fs::write(root.join("crates/cli/keep"), "changed").unwrap();
    assert_eq!(script_says(&script, &root)["TREE"], "changed since that commit");

    let archive = temp.path().join("archive");
    git(&["archive", "--prefix=archive/", "--output=../archive.tar", "HEAD"]);
    ran(Command::new("tar").current_dir(temp.path()).args(["-xf", "archive.tar"]));
    let said = script_says(&script, &archive);
    assert_eq!((&said["COMMIT"], said["TREE"].as_str(), &said["DATE"]), (&commit, "source archive", &date));
}

/// NET-08: the list of parts is valid CycloneDX, and names what is linked.
#[test]
fn the_list_of_parts_is_valid_and_names_what_is_linked() {
    let temp = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = temp.path().join(name);
        ran(Command::new("cargo").args(["run", "--quiet", "--package", "xtask", "--", "sbom"]).arg(&path));
        fs::read_to_string(path).unwrap()
    };
    let list = write("one.json");
    assert_eq!(list, write("two.json"));

    let mut check = peers::python("cyclonedx.py");
    let mut child = check.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));

    let list: Value = serde_json::from_str(&list).unwrap();
    let names: Vec<&str> =
        list["components"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    for part in ["aws-lc-sys", "libsqlite3-sys", "countersign-server", "tokio"] {
        assert!(names.contains(&part), "{part}");
    }
    assert!(!names.contains(&"proptest"), "what only tests use is not in the program");
    let foreign = list["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| !one["name"].as_str().unwrap().starts_with("countersign"));
    for part in foreign {
        assert_eq!(part["hashes"][0]["content"].as_str().unwrap().len(), 64, "{part}");
        assert!(part["licenses"][0]["expression"].is_string(), "{part}");
    }
}
