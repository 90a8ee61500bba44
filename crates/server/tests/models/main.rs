//! Models of what cannot be seen on one machine: years of refreshes, thieves, and every order of concurrent steps. They
//! drive the rules of `domain/`; `tests/sessions/` proves that the databases do the same.
#![cfg(test)]

mod random;
mod rsn;
mod simulation;
