//! Running other programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Failure;

/// The root of the workspace: the parent of this crate's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// `cargo`, the one that started us, in the root of the workspace.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// Says what runs, runs it to the end, and fails if it failed.
pub fn step(command: &mut Command) -> Result<(), Failure> {
    println!("$ {}", shown(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Step(format!("`{}` ended with {status}", shown(command)))),
        Err(error) => Err(Failure::Step(format!("`{}` could not be started: {error}", shown(command)))),
    }
}

/// The standard output of a program that succeeded, without the last line break.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    let out = Command::new(program).args(args).output().ok()?;
    if !out.status.success() {
        return None;
    }
    Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        assert_eq!(shown(Command::new("/usr/bin/cargo").args(["test", "--workspace"])), "cargo test --workspace");
    }

    #[test]
    fn a_failing_step_fails() {
        assert!(matches!(step(&mut Command::new("false")), Err(Failure::Step(_))));
        assert!(matches!(step(&mut Command::new("no-such-program-here")), Err(Failure::Step(_))));
    }
}
