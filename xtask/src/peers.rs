//! Other implementations, which the program's tests compare with: of JOSE (joserfc and jwcrypto in Python, jose in Node.js), and
//! of OpenID Connect clients (authlib in Python, openid-client in Node.js, the crate oauth2). And a mail server (aiosmtpd in Python),
//! and what leads a browser through the pages (playwright-core and axe-core in Node.js). And key stores (OpenBao, moto).
//!
//! They are installed into a folder below `target`, never into the system, and each file is checked against the hash that is
//! committed beside the tests. What runs them (Python, Node.js) is Debian's, and installed where it is missing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Failure, debian,
    run::{cargo, output, root, step},
};

/// Where the tests look for them, below the root of the workspace.
const FOLDER: &str = "target/peers";
const SOURCES: &str = "crates/cli/tests/peers";

/// A program that must be there, what shows that it is, and Debian's packages that bring it.
struct Tool {
    name: &'static str,
    program: &'static str,
    shown_by: &'static [&'static str],
    packages: &'static [&'static str],
}

const TOOLS: [Tool; 5] = [
    Tool {
        name: "Python 3.11 or newer",
        program: "python3",
        shown_by: &["-c", "import sys; assert sys.version_info >= (3, 11)"],
        packages: &["python3"],
    },
    Tool { name: "pip", program: "python3", shown_by: &["-m", "pip", "--version"], packages: &["python3-pip"] },
    Tool {
        name: "Node.js 18 or newer",
        program: "node",
        shown_by: &["-e", "if (parseInt(process.versions.node) < 18) process.exit(1)"],
        packages: &["nodejs"],
    },
    Tool { name: "npm", program: "npm", shown_by: &["--version"], packages: &["npm"] },
    // Its program that reads units; the package starts nothing by itself.
    Tool { name: "systemd", program: "systemd-analyze", shown_by: &["--version"], packages: &["systemd"] },
];

/// The folder with all of them, installed if they are not there yet.
pub fn installed() -> Result<PathBuf, Failure> {
    provide_tools()?;
    let folder = root().join(FOLDER);
    let sources = root().join(SOURCES);
    let python = output("python3", &["--version"]).unwrap_or_default();
    let node = output("node", &["--version"]).unwrap_or_default();
    keep(&folder.join("python"), &[&sources.join("requirements.txt")], &python, install_python)?;
    keep(&folder.join("keystores"), &[&sources.join("keystores.txt")], &python, install_python)?;
    keep(
        &folder.join("node"),
        &[&sources.join("package.json"), &sources.join("package-lock.json")],
        &node,
        install_node,
    )?;
    let browsed = root().join("e2e");
    keep(
        &folder.join("e2e"),
        &[&browsed.join("package.json"), &browsed.join("package-lock.json")],
        &node,
        install_node,
    )?;
    let rust = sources.join("oauth2");
    keep(
        &folder.join("rust"),
        &[&rust.join("Cargo.toml"), &rust.join("Cargo.lock"), &rust.join("src/main.rs")],
        &output("rustc", &["--version"]).unwrap_or_default(),
        build_rust,
    )?;
    Ok(folder)
}

fn provide_tools() -> Result<(), Failure> {
    let absent = || TOOLS.iter().filter(|tool| output(tool.program, tool.shown_by).is_none()).collect::<Vec<_>>();
    let before = absent();
    if before.is_empty() {
        return Ok(());
    }
    if let Some(why) = debian::obstacle() {
        return Err(Failure::Step(missing(&before, why)));
    }
    println!("{} missing; installing Debian's packages.", names(&before));
    debian::install(&before.iter().flat_map(|tool| tool.packages).copied().collect::<Vec<_>>())?;
    let after = absent();
    if after.is_empty() {
        return Ok(());
    }
    Err(Failure::Step(missing(&after, "Debian's packages were installed, but that did not bring it")))
}

/// Installs what `lists` name, unless that was done already by a program of this version. An installation that was cut off
/// leaves no stamp and is done anew.
fn keep(
    folder: &Path,
    lists: &[&Path],
    version: &str,
    install: fn(&Path, &[&Path]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::Step(format!("{}: {error}", folder.display()));
    let mut wanted = format!("{version}\n");
    for list in lists {
        wanted += &fs::read_to_string(list).map_err(broken)?;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(broken)?;
    }
    fs::create_dir_all(folder).map_err(broken)?;
    install(folder, lists)?;
    fs::write(stamp, wanted).map_err(broken)
}

fn install_python(folder: &Path, lists: &[&Path]) -> Result<(), Failure> {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    command.args(["--only-binary=:all:", "--require-hashes", "--target"]).arg(folder);
    for list in lists {
        command.arg("-r").arg(list);
    }
    step(command.env("PIP_ROOT_USER_ACTION", "ignore"))
}

fn install_node(folder: &Path, lists: &[&Path]) -> Result<(), Failure> {
    for list in lists {
        let name = list.file_name().unwrap_or_default();
        fs::copy(list, folder.join(name)).map_err(|error| Failure::Step(format!("{}: {error}", list.display())))?;
    }
    step(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )
}

/// A workspace of its own: nothing of it is among what the product is made of.
fn build_rust(folder: &Path, lists: &[&Path]) -> Result<(), Failure> {
    let mut command = cargo(&["build", "--quiet", "--locked", "--manifest-path"]);
    command.args(lists.first()).arg("--target-dir").arg(folder);
    step(&mut command)
}

fn names(tools: &[&Tool]) -> String {
    tools.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn missing(tools: &[&Tool], why: &str) -> String {
    let packages: Vec<_> = tools.iter().flat_map(|tool| tool.packages).copied().collect();
    format!(
        "the tests compare with other implementations in Python and Node.js; missing: {}; {why}.\n\
         Debian, Ubuntu: sudo apt-get install {}",
        names(tools),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_is_missing() {
        let text = missing(&[&TOOLS[1], &TOOLS[3]], "nothing was installed");
        assert!(text.contains("missing: pip, npm; nothing was installed"), "{text}");
        assert!(text.contains("apt-get install python3-pip npm"), "{text}");
    }

    #[test]
    fn what_is_there_is_not_installed_again_and_what_was_cut_off_is() {
        fn fails(_: &Path, _: &[&Path]) -> Result<(), Failure> {
            Err(Failure::Step("cut off".into()))
        }
        fn works(folder: &Path, _: &[&Path]) -> Result<(), Failure> {
            fs::write(folder.join("content"), "x").map_err(|error| Failure::Step(error.to_string()))
        }
        let folder = std::env::temp_dir().join(format!("countersign-xtask-peers-{}", std::process::id()));
        let list = root().join(SOURCES).join("package.json");
        assert!(keep(&folder, &[&list], "1", fails).is_err());
        assert!(keep(&folder, &[&list], "1", works).is_ok());
        assert!(keep(&folder, &[&list], "1", fails).is_ok());
        assert!(keep(&folder, &[&list], "2", fails).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_file_is_pinned_by_a_hash() {
        let sources = root().join(SOURCES);
        let python = fs::read_to_string(sources.join("requirements.txt")).unwrap()
            + &fs::read_to_string(sources.join("keystores.txt")).unwrap();
        for line in python.lines().filter(|line| line.contains("==")) {
            assert!(line.ends_with('\\'), "{line}");
        }
        assert!(python.matches("--hash=sha256:").count() > 6);
        let node = fs::read_to_string(sources.join("package-lock.json")).unwrap();
        assert_eq!(node.matches("\"node_modules/").count(), node.matches("\"integrity\"").count());
        let rust = fs::read_to_string(sources.join("oauth2/Cargo.lock")).unwrap();
        assert_eq!(rust.matches("[[package]]").count(), rust.matches("checksum = ").count() + 1);
    }
}
