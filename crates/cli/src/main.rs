//! The one binary: `countersign serve`, and the commands that administer it.
#![expect(clippy::print_stderr, reason = "a command talks to a person; its results go through `output::say`")]

mod admin;
mod audience;
mod backup;
mod bench;
mod built;
mod client;
mod config;
mod doctor;
mod duration;
mod floor;
mod group;
mod jwk;
mod jwks;
mod jwt;
mod key;
mod org;
mod output;
mod plan;
mod progress;
mod ready;
mod relay;
mod restore;
mod revoke;
mod role;
mod secret;
mod serve;
mod session;
mod shell;
mod store;
mod supervisor;
mod upstream;
mod user;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::output::{Failure, Output};

/// Signs people and services in, issues short-lived tokens, and ends them when you say so.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "countersign --version --verbose says what this program was built from.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Args)]
struct Global {
    /// Configuration file; default: countersign.toml in this folder, if it exists
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set a configuration key, e.g. --set refresh.grace=5s (repeatable; see `countersign config show`)
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Data folder; short for --set data=DIR
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// Answer in JSON, one document
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Run the issuer
    Serve(serve::Serve),
    /// Users: add, list, show, disable, enable, roles, password, mfa
    #[command(subcommand)]
    User(user::User),
    /// Clients (applications and services): add, list, update, disable, enable, rotate-secret, remove
    #[command(subcommand)]
    Client(Box<client::Client>),
    /// Audiences (the APIs that tokens are meant for): add, list, update, disable-scope, enable-scope, remove
    #[command(subcommand)]
    Audience(audience::Audience),
    /// Other OpenID providers that people sign in with: add, list, remove
    #[command(subcommand)]
    Upstream(upstream::Upstream),
    /// Roles: what they are for and what they permit: add, list, show, update, remove
    #[command(subcommand)]
    Role(role::Role),
    /// Groups of people who get roles together: add, list, show, grant, withdraw, members, join, leave, remove
    #[command(subcommand)]
    Group(group::Group),
    /// Organisations that people act for: add, list, show, rename, members, add-member, invite, grant, withdraw, remove-member, remove
    #[command(subcommand)]
    Org(org::Org),
    /// Sessions: list with the reason each one ended, revoke
    #[command(subcommand)]
    Session(session::Session),
    /// End a token, a session, what a user or a client has, a tenant's, or a signing key
    Revoke(revoke::Revoke),
    /// Everybody's access tokens at once or in steps, without signing anybody out: show, raise
    #[command(subcommand)]
    Floor(floor::Floor),
    /// Signing keys: list, rotate, move (between key stores), revoke
    #[command(subcommand)]
    Key(key::Key),
    /// Configuration: show each value and where it came from, check
    #[command(subcommand)]
    Config(config::Config),
    /// Watch the revocation feed of the running server: head, lag, readers, what was revoked
    Watch,
    /// Measure your own deployment: how long a revocation takes until it is refused
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Serve the revocation feed of an issuer to many verifiers near by
    Relay(relay::Relay),
    #[command(flatten)]
    Keep(Keep),
    #[command(flatten)]
    Tool(Tool),
}

/// What keeps the database well, whether a server runs or not.
#[derive(Debug, Subcommand)]
enum Keep {
    /// Back the database up into a file, while the server runs
    Backup(backup::Backup),
    /// Put a backup back, look at a database that may be older than it has been, accept it
    Restore(restore::Restore),
    /// Move everything to another database: copy
    #[command(subcommand)]
    Store(store::Store),
    /// Look at everything that can be wrong, and say what to do about it
    Doctor,
    /// Ask the running server whether it can serve; for health checks
    Ready,
}

/// What needs neither a server nor a store.
#[derive(Debug, Subcommand)]
enum Tool {
    /// Tokens of anybody: sign, verify, decode, explain, encrypt, decrypt, diff
    #[command(subcommand)]
    Jwt(Box<jwt::Jwt>),
    /// Keys of anybody: generate, show, thumbprint, convert
    #[command(subcommand)]
    Jwk(jwk::Jwk),
    /// Key sets that are published: show, lint
    #[command(subcommand)]
    Jwks(jwks::Jwks),
    /// What a deployment of some size needs: rows, disk, processors, network, machines
    Plan(plan::Plan),
    /// Print the page of an error code: what it means and what to do
    Explain { code: String },
    /// Print the completions of a shell
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages into a folder
    Man { folder: PathBuf },
}

fn main() -> ExitCode {
    if let Some(output) = built::asked() {
        built::show(output);
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    let output = Output { json: cli.global.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&Failure::undecided(format!("cannot start: {error}"))),
    };
    match runtime.block_on(run(cli, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

async fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Serve(command) => Box::pin(command.run(global)).await,
        Command::User(command) => command.run(global, output).await,
        Command::Client(command) => command.run(global, output).await,
        Command::Audience(command) => command.run(global, output).await,
        Command::Upstream(command) => command.run(global, output).await,
        Command::Role(command) => command.run(global, output).await,
        Command::Group(command) => command.run(global, output).await,
        Command::Org(command) => command.run(global, output).await,
        Command::Session(command) => command.run(global, output).await,
        Command::Revoke(command) => command.run(global, output).await,
        Command::Floor(command) => command.run(global, output).await,
        Command::Key(command) => command.run(global, output).await,
        Command::Config(command) => command.run(global, output),
        Command::Watch => watch::run(global, output).await,
        Command::Bench(command) => command.run(global, output).await,
        Command::Relay(command) => command.run().await,
        Command::Keep(command) => command.run(global, output).await,
        Command::Tool(tool) => tool.run(output).await,
    }
}

impl Keep {
    async fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        match self {
            Self::Backup(command) => command.run(global, output).await,
            Self::Restore(command) => command.run(global, output).await,
            Self::Store(command) => command.run(output).await,
            Self::Doctor => doctor::run(global, output).await,
            Self::Ready => ready::run(global, output).await,
        }
    }
}

impl Tool {
    async fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Jwt(command) => command.run(output),
            Self::Jwk(command) => command.run(output),
            Self::Jwks(command) => command.run(output).await,
            Self::Plan(command) => command.run(output),
            Self::Explain { code } => jwt::pages::show(&code, output),
            Self::Completions { shell } => {
                shell::completions(shell);
                Ok(())
            }
            Self::Man { folder } => shell::manual(&folder),
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
