//! `cargo xtask bench jose`: signing and verifying by this library, by other libraries and by the bare primitive, in
//! interleaved rounds of one run. bench/README.md says how to read it.

mod bench;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};

use bench::{
    instructions, make, peers,
    program::Program,
    report::{self, Report},
    rounds,
};

const USAGE: &str = "\
Usage: cargo xtask bench jose [--quick] [--check] [--only ALG] [--ours] [--prepare FOLDER]

  --quick      a tenth of the rounds; writes nothing that is committed
  --check      a target that is missed is an error
  --only ALG   one algorithm, for a look
  --ours       without the other libraries
  --prepare F  writes the keys and tokens into the folder F, for a profiler, and ends: then
               `bench/jose/target/release/bench-jose-time F/material.json 1000` runs each case that often";

/// What the command line asked for.
#[derive(Debug, Default, Clone)]
struct Options {
    quick: bool,
    check: bool,
    only: Option<String>,
    ours: bool,
    prepare: Option<PathBuf>,
}

impl Options {
    fn parse(args: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--check" => options.check = true,
                "--ours" => options.ours = true,
                "--only" => options.only = args.next(),
                "--prepare" => options.prepare = args.next().map(PathBuf::from),
                other => bail!("`{other}` is not understood\n\n{USAGE}"),
            }
        }
        Ok(options)
    }

    /// Whether the run shows everything that the page of the book says.
    fn whole(&self) -> bool {
        !self.quick && self.only.is_none() && !self.ours
    }
}

fn main() -> ExitCode {
    let outcome = Options::parse(env::args().skip(1)).and_then(|options| run(&options));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench jose: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything that was asked for was reached.
fn run(options: &Options) -> Result<bool> {
    if let Some(folder) = &options.prepare {
        make::material(folder, options.only.as_deref())?;
        return Ok(true);
    }
    let folder = tempfile::tempdir()?;
    let (material, path) = make::material(folder.path(), options.only.as_deref())?;
    let (built, missing) = if options.ours { (peers::ours()?, Vec::new()) } else { peers::all()? };

    let mut timed = built.iter().map(|programs| Program::start(&programs.time, &path)).collect::<Result<Vec<_>>>()?;
    for program in &mut timed {
        program.check(&material)?;
    }
    eprintln!("bench jose: every library accepts its token and refuses the wrong ones; measuring");
    let times = rounds::measure(&mut timed, rounds::Plan::new(options.quick))?;
    let allocations = rounds::allocations(&built, &path)?;
    let instructions = instructions::count(&built, &timed, &path)?;

    let report = Report::new(&material, &times, &allocations, &instructions, missing);
    report::publish(&report, options.whole())?;
    Ok(!options.check || report.missed() == 0)
}
