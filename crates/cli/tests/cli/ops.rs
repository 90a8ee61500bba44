//! What operators copy: the unit for systemd.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::rig::{BINARY, Rig, text};

const UNIT: &str = "ops/systemd/countersign.service";

/// systemd's own program reads the unit, with the program under test in the place of the installed one, and finds it hardened.
#[test]
fn the_unit_is_understood_and_hardened() {
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(UNIT)).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/countersign "));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.service");
    fs::write(&path, unit.replace("/usr/local/bin/countersign", BINARY)).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (well, said) = analyze(&["verify"]);
    assert!(well && said.trim().is_empty(), "{said}");
    // 0 is the best, 10 the worst; an ordinary service has 9.6. The threshold is in tenths.
    let (well, said) = analyze(&["security", "--offline=true", "--threshold=15"]);
    assert!(well, "{said}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// buildah with images in a folder of the test.
struct Images {
    folder: tempfile::TempDir,
}

impl Images {
    fn flags(&self) -> String {
        let folder = self.folder.path().display();
        format!("--root {folder}/images --runroot {folder}/run --storage-driver vfs")
    }

    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> String {
        let flags = self.flags();
        let output = Command::new("buildah").args(flags.split(' ')).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path, from: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), from, found),
            false => found.push(entry.path().strip_prefix(from).unwrap().display().to_string()),
        }
    }
}

/// In the image's root, which nothing may be written to, as its user, with a volume: begins to serve, is asked, and stops.
const IN_THE_IMAGE: &str = r#"
mount --bind "$IMAGE" "$IMAGE"
mount -o remount,ro,bind "$IMAGE"
mount --bind "$VOLUME" "$IMAGE/data"
as() { chroot --userspec="$1" "$IMAGE" /countersign "${@:2}"; }
touch "$IMAGE/x" 2>/dev/null && echo "the root can be written to"
as 65532:65532 ready >/dev/null 2>&1 && echo "ready without a server"
(exec chroot --userspec=65532:65532 "$IMAGE" /countersign serve >/dev/null 2>"$VOLUME/../log") & server=$!
trap 'kill -KILL $server 2>/dev/null || true' EXIT
for i in $(seq 600); do as 65532:65532 ready 2>/dev/null && break; sleep 0.1; done
echo "runs as $(awk '/^Uid:/ {print $2}' /proc/$server/status)"
kill -TERM $server
wait $server; echo "ended with $?"
"#;

#[test]
fn the_image_holds_the_program_and_no_more_and_serves_as_nobody_on_a_root_that_is_read_only() {
    let images = Images { folder: tempfile::tempdir().unwrap() };
    let build = format!("buildah {} bud --isolation chroot --format docker", images.flags());
    let script = root().join("ops/container/build.sh");
    let built =
        Command::new("bash").arg(script).args([BINARY, "countersign:test"]).env("BUILD", build).output().unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    let inspected: serde_json::Value =
        serde_json::from_str(&images.ask(&["inspect", "--type", "image", "countersign:test"])).unwrap();
    let config = &inspected["Docker"]["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/countersign"]));
    assert_eq!(config["Healthcheck"]["Test"], serde_json::json!(["CMD", "/countersign", "ready"]));
    assert!(config["Volumes"]["/data"].is_object(), "{config}");

    let container = images.ask(&["from", "countersign:test"]);
    let image = images.ask(&["mount", &container]);
    let mut found = Vec::new();
    files(Path::new(&image), Path::new(&image), &mut found);
    let strange: Vec<_> = found
        .iter()
        .filter(|file| {
            !file.starts_with("lib")
                && !["countersign", "data/.keep", "etc/ssl/certs/ca-certificates.crt"].contains(&file.as_str())
        })
        .collect();
    assert!(strange.is_empty() && found.len() < 12, "{found:?}");
    let data = fs::metadata(Path::new(&image).join("data")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&data), 65532);

    let rig = Rig::new();
    let volume = rig.folder.path().join("volume");
    fs::create_dir(&volume).unwrap();
    std::os::unix::fs::chown(&volume, Some(65532), Some(65532)).unwrap();
    let environment = config["Env"].as_array().unwrap().iter().filter_map(|line| line.as_str()?.split_once('='));
    let output = Command::new("unshare")
        .args(["--mount", "bash", "-eu", "-c", IN_THE_IMAGE])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(environment.filter(|(name, _)| name.starts_with("COUNTERSIGN_")))
        .envs([("COUNTERSIGN_LISTEN", rig.address.to_string()), ("IMAGE", image)])
        .env("VOLUME", &volume)
        .output()
        .unwrap();
    let log = fs::read_to_string(rig.folder.path().join("log")).unwrap_or_default();
    let said = text(&output.stdout);
    assert_eq!(said, "ready, SQLite\nruns as 65532\nended with 0\n", "{}{log}", text(&output.stderr));
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
    assert!(volume.join("countersign.db").exists() && volume.join("kek").exists());
}
