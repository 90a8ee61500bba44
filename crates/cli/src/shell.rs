//! Completions and manual pages, made from the same definitions as the commands.

use std::{
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;

use crate::{Cli, output::Failure};

pub fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut script);
    // Nobody may be reading any more (`| head`); there is nothing to tell them then.
    let _ = io::stdout().write_all(&script);
}

pub fn manual(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Failure::undecided(format!("{}: {error}", folder.display())))
}
