//! Completions and manual pages, made from the same definitions as the commands.

use std::{io, path::Path};

use clap::CommandFactory;

use crate::{Cli, output::Failure};

pub fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut io::stdout());
}

pub fn manual(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Failure::undecided(format!("{}: {error}", folder.display())))
}
