//! `cargo xtask docs` and `cargo xtask openapi`: what is generated from the code and checked in.
//!
//! A generated page has one owner: the test that renders it from the code and compares it with the file. With
//! `COUNTERSIGN_TEST_UPDATE=1` that test writes the file instead, so generating and checking cannot drift apart.

use crate::{
    Failure,
    run::{cargo, step},
};

const UPDATE_VARIABLE: &str = "COUNTERSIGN_TEST_UPDATE";

pub fn run() -> Result<(), Failure> {
    regenerate("book", "")?;
    regenerate("models", "simulation")?;
    step(cargo(&["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    println!("API documentation: target/doc/countersign_server/index.html. The book: docs/SUMMARY.md.");
    Ok(())
}

pub fn openapi() -> Result<(), Failure> {
    regenerate("book", "openapi")
}

/// Runs the test program that owns generated files; only those whose test has `filter` in its name.
fn regenerate(program: &str, filter: &str) -> Result<(), Failure> {
    let mut command = cargo(&["test", "--package", "countersign-server", "--all-features", "--test", program, filter]);
    step(command.env(UPDATE_VARIABLE, "1"))
}
