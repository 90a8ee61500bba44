#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a narrated program")]

fn main() {}
