//! Colours: for terminals only, and not where NO_COLOR is set (no-color.org).

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::rig::Rig;

/// What a command shows at a terminal.
fn shown(command: Command) -> String {
    at(command, false)
}

/// What a command shows there by standard error.
pub fn shown_on_error(command: Command) -> String {
    at(command, true)
}

fn at(mut command: Command, error: bool) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let (out, err) = if error { (Stdio::null(), theirs.into()) } else { (theirs.into(), Stdio::null()) };
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
    // With the command goes this process's own hold on the other end.
    drop(command);
    let (mut ours, mut bytes, mut part) = (File::from(ours), Vec::new(), [0; 4096]);
    // The end is an error on Linux: nobody holds the other side any more.
    while let Ok(count @ 1..) = ours.read(&mut part) {
        bytes.extend_from_slice(&part[..count]);
    }
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn colours_are_for_terminals_and_only_where_they_are_wanted() {
    let rig = Rig::new();
    rig.expect(0, &["jwk", "generate", "--alg", "ES256", "-o", "k.jwk"], "");
    let sign = ["jwt", "sign", "--key", "k.jwk", "--issuer", "https://id.example", "--audience", "orders"];
    let token = rig.expect(0, &sign, "").0.trim().to_owned();
    let explain = ["jwt", "explain", "--key", "k.jwk", "--issuer", "https://id.example", "--audience", "beta", &token];
    for arguments in [&["jwt", "decode", &token][..], &explain, &["jwt", "diff", &token, &token]] {
        let command = |no_color: Option<&str>| {
            let mut command = rig.command(arguments);
            command.env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
            command
        };
        let plain = shown(command(Some("1")));
        assert!(plain.len() > 50 && !plain.contains('\u{1b}'), "{plain}");
        for colours in [None, Some("")] {
            assert!(shown(command(colours)).contains("\u{1b}[31m"), "{arguments:?}");
        }
        let json = shown(rig.command(&[&["--json"][..], arguments].concat()));
        assert!(json.trim_start().starts_with('{') && !json.contains('\u{1b}'), "{json}");
        assert!(!String::from_utf8(rig.run(arguments, "").stdout).unwrap().contains('\u{1b}'));
    }
}
