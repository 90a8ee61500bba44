//! The store's contract, alike on SQLite and PostgreSQL, and what only one of them can break.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod run;

mod audiences;
mod audit;
mod clients;
mod contract;
mod copy;
mod crash;
mod engine_postgres;
mod engine_sqlite;
mod kek_wraps;
mod login_limits;
mod plans;
mod revocations;
mod schema;
mod sql_text;
mod together;
mod turns;
mod users;
