#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line talks to a person")]

fn main() {}
