//! Every configuration key, one row each. The table is the documentation, the list of known names and the defaults.

/// What a key's text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// `10s`, `15m`, `90d`; zero is `0s`.
    Duration,
    Number,
    /// Several texts, separated by commas; a TOML array in the file.
    List,
    /// May hold a password; shown redacted.
    Secret,
}

/// When a changed value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From the next reload on (SIGHUP).
    Reload,
    /// From the next start on: what runs stands on it.
    Restart,
}

/// One configuration key.
#[derive(Debug)]
pub struct Key {
    /// Dotted name: `refresh.grace`.
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    pub change: Change,
    pub help: &'static str,
}

impl Key {
    /// The environment variable of this key: `refresh.grace` is `COUNTERSIGN_REFRESH_GRACE`.
    pub fn variable(&self) -> String {
        format!("COUNTERSIGN_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, change: Change::Reload, help }
}

/// A key whose new value waits for a restart.
const fn fixed(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, change: Change::Restart, help }
}

/// The row of a known key.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

use Kind::{Duration, List, Number, Secret, Text};

pub const KEYS: &[Key] = &[
    fixed("issuer", Text, "", "public URL of this issuer (iss); empty: http://localhost and the port of `listen`"),
    fixed("listen", Text, "127.0.0.1:8080", "address and port to listen on"),
    key(
        "drain_for",
        Duration,
        "0s",
        "how long a server that is told to stop still takes requests, while /readyz says 503; behind a load balancer longer than it takes to notice",
    ),
    fixed(
        "data",
        Text,
        "./countersign-data",
        "folder of the SQLite database, the key-encryption key and the admin socket",
    ),
    fixed(
        "database",
        Secret,
        "",
        "postgres://… for PostgreSQL, with ?pooler=transaction behind PgBouncer in transaction mode; empty: SQLite in the data folder",
    ),
    fixed("database_pool", Number, "16", "connections to PostgreSQL"),
    fixed(
        "mark_file",
        Text,
        "",
        "file that says how far the database had come, so that a restored one is noticed; keep it where no backup of the database brings it back; empty: `high-water` in the data folder",
    ),
    key(
        "language",
        Text,
        "en",
        "language of pages and mails for whoever has chosen none and whose browser asks for none of ours: en, de, es or zh-Hans",
    ),
    key("registration", Text, "open", "open: anybody may register; closed: only an administrator adds users"),
    key(
        "sign_in_by_mail",
        Text,
        "off",
        "on: people may have a code and a link sent to their confirmed address, in place of typing their password; off: they may not",
    ),
    key(
        "clients.registration",
        Text,
        "off",
        "token: whoever has an initial access token registers clients at POST /clients (RFC 7591); off: only administrators add clients",
    ),
    key("clients.scopes", List, "openid, profile, email", "the scopes that such a client may ask for at most"),
    key("clients.audience", Text, "api", "the audience that its access tokens are for"),
    key("access_token_ttl", Duration, "10m", "lifetime of access tokens"),
    fixed("access_token_ttl_cap", Duration, "1h", "no audience or client may ask for longer access tokens than this"),
    key(
        "refresh.grace",
        Duration,
        "10s",
        "how long the previous refresh token still gets the same successor; 0s: strict one-time",
    ),
    key("refresh.idle", Duration, "30d", "a session ends when it was not refreshed for this long"),
    fixed("refresh.absolute", Duration, "90d", "a session ends this long after sign-in, whatever happens"),
    key("retention.sessions", Duration, "30d", "how long an ended session can still be looked at, with its reason"),
    key("retention.deletion", Duration, "14d", "how long people who delete their account can think again"),
    key("retention.audit", Duration, "400d", "how long security events are kept"),
    key(
        "dpop.nonce",
        Text,
        "off",
        "required: every proof of possession (DPoP) needs a nonce of this server; off: none does",
    ),
    key("dpop.nonce_ttl", Duration, "5m", "how long such a nonce is good"),
    key("dpop.max_age", Duration, "60s", "how long ago a proof may have been made where nonces are off"),
    key(
        "password.min_length",
        Number,
        "15",
        "characters of a password that is the only factor; 15 is the least allowed",
    ),
    fixed("password.memory_kib", Number, "19456", "argon2id memory per hash, KiB"),
    fixed("password.iterations", Number, "2", "argon2id passes"),
    fixed("password.parallelism", Number, "1", "argon2id lanes"),
    fixed("password.workers", Number, "0", "threads that hash; 0: one less than the machine has cores, at least 1"),
    fixed("password.queue", Number, "64", "sign-ins that may wait for a hashing thread; more are answered 503"),
    key("limits.account_free", Number, "5", "failed sign-ins of an account before delays begin"),
    key("limits.address_per_minute", Number, "30", "sign-ins and registrations per network address and minute"),
    key("limits.global_per_second", Number, "200", "sign-ins and registrations of everybody together per second"),
    fixed("limits.connections", Number, "8192", "open connections"),
    fixed("limits.connections_per_address", Number, "1024", "open connections of one network address"),
    key(
        "feed.access",
        Text,
        "auto",
        "who may read the revocation feed: open: anybody; client: clients with a secret; auto: open on loopback, client elsewhere",
    ),
    fixed("feed.readers", Number, "4096", "readers of the revocation feed at the same time"),
    fixed("feed.readers_per_address", Number, "1024", "readers of the feed from one network address"),
    key("feed.anchors_per_minute", Number, "6000", "time anchors of the feed per network address and minute"),
    fixed(
        "keys.kek_file",
        Text,
        "",
        "file with the key-encryption key (32 bytes, base64url); empty: `kek` in the data folder",
    ),
    fixed("keys.kek_env", Text, "", "environment variable that holds the key-encryption key instead of a file"),
    fixed(
        "keys.store",
        Text,
        "file",
        "what guards the key-encryption key: file (keys.kek_file, keys.kek_env, the data folder), transit (OpenBao, Vault), pkcs11 (HSM) or kms (AWS)",
    ),
    fixed(
        "keys.sign",
        Text,
        "here",
        "here: tokens are signed in this process; there: in the key store, by keys that never leave it",
    ),
    fixed(
        "keys.timeout",
        Duration,
        "2s",
        "how long a key store may take for each of at most three attempts; 3s at most",
    ),
    fixed(
        "keys.ca_file",
        Text,
        "",
        "certificate (PEM) that the key store's is signed by, if the system does not know it",
    ),
    fixed("keys.transit.address", Text, "", "OpenBao or Vault, such as https://bao.example.com:8200"),
    fixed("keys.transit.mount", Text, "transit", "where its transit engine is mounted"),
    fixed(
        "keys.transit.key",
        Text,
        "countersign",
        "the transit key that wraps the key-encryption key; keys that sign are named countersign-…",
    ),
    fixed("keys.transit.namespace", Text, "", "its namespace, if it has any"),
    fixed(
        "keys.transit.token_file",
        Text,
        "",
        "file with the token; read anew for each call, so that an agent may renew it",
    ),
    fixed("keys.transit.token_env", Text, "", "environment variable that holds this token instead of a file"),
    fixed("keys.pkcs11.module", Text, "", "PKCS#11 module of the HSM, such as /usr/lib/softhsm/libsofthsm2.so"),
    fixed("keys.pkcs11.token", Text, "", "label of the token"),
    fixed("keys.pkcs11.key", Text, "countersign", "label of the AES key that wraps the key-encryption key"),
    fixed("keys.pkcs11.pin_file", Text, "", "file with the user's PIN"),
    fixed("keys.pkcs11.pin_env", Text, "", "environment variable that holds this PIN instead of a file"),
    fixed("keys.kms.region", Text, "", "AWS region of the key, such as eu-central-1"),
    fixed("keys.kms.key", Text, "", "id, ARN or alias of the symmetric key that wraps the key-encryption key"),
    fixed("keys.kms.endpoint", Text, "", "another address of the service; empty: AWS's own for the region"),
    fixed(
        "keys.kms.credentials_file",
        Text,
        "",
        "file as the AWS command line keeps it, profile default; read anew for each call; empty: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    fixed("keys.rotate_every", Duration, "90d", "a signing key is replaced after this time"),
    fixed("keys.publish_for", Duration, "10m", "how long a new public key is published before it signs"),
    fixed(
        "keys.wait_for_verifiers",
        Duration,
        "1d",
        "how much longer a new key waits for services that follow the revocation feed and have not fetched it; 0s: not at all",
    ),
    key(
        "mail.smtp",
        Secret,
        "",
        "mail server: smtps://user@host:465, or smtp://user@host:587, which must offer STARTTLS unless it is this machine (?tls=required: then too); empty: mails are written into a folder",
    ),
    key("mail.password_file", Text, "", "file with the password for the mail server"),
    key("mail.password_env", Text, "", "environment variable that holds this password instead of a file"),
    key(
        "mail.ca_file",
        Text,
        "",
        "certificate (PEM) that the mail server's is signed by, if the system does not know it",
    ),
    key("mail.from", Text, "", "sender, such as Example <no-reply@example.com>; empty: no-reply at the issuer's host"),
    key("mail.folder", Text, "", "folder for mails while there is no mail server; empty: `mails` in the data folder"),
    key("mail.timeout", Duration, "30s", "how long the mail server may take for each step"),
    key(
        "mail.verification",
        Text,
        "auto",
        "required: nobody signs in with a password before their address is verified; optional: they may; auto: required if there is a mail server",
    ),
    key(
        "outbound.allow",
        List,
        "",
        "networks inside that the issuer may call when a client registered an address there, e.g. 10.1.0.0/16; the internet always may be",
    ),
    key(
        "tls.certificate",
        Text,
        "",
        "file with the certificate (PEM) and what leads from it to one that browsers know: the server itself speaks HTTPS on `listen`; empty: a proxy does",
    ),
    key("tls.key", Text, "", "file with its private key (PEM), for nobody to read but the server's user and group"),
    fixed(
        "tls.acme.domains",
        List,
        "",
        "names, the issuer's host among them, for which the server fetches and renews a certificate itself (ACME), in place of tls.certificate; the ACME server must reach it at port 443 of each; empty: none. Needs a program with the feature acme",
    ),
    fixed(
        "tls.acme.terms",
        Text,
        "",
        "agreed: you have read the terms of the ACME server's operator and agree to them; nothing is fetched before",
    ),
    fixed(
        "tls.acme.directory",
        Text,
        "https://acme-v02.api.letsencrypt.org/directory",
        "directory of the ACME server; the default is Let's Encrypt's",
    ),
    fixed("tls.acme.contact", List, "", "mail addresses that the ACME server's operator may write to"),
    fixed(
        "tls.acme.ca_file",
        Text,
        "",
        "certificate (PEM) that the ACME server's own is signed by, if the system does not know it",
    ),
    key("trusted_proxies", List, "", "addresses whose X-Forwarded-For is believed"),
    fixed("metrics.listen", Text, "", "own listener for /metrics without credentials, e.g. 127.0.0.1:9090"),
    fixed(
        "otel.endpoint",
        Text,
        "",
        "receiver of traces and metrics by OTLP over HTTP, such as http://localhost:4318; empty: none. Needs a program with the feature otel",
    ),
    fixed("otel.sample", Number, "100", "percent of the requests that are traced"),
    key("log.level", Text, "info", "error, warn, info, debug or trace, or a filter such as countersign_server=debug"),
    fixed("log.format", Text, "text", "text or json"),
];
