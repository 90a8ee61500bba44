//! Mails on their way: what waits in the store, until a server has taken it or nobody tries any more.

mod outbox;
mod server;
mod smtp;
