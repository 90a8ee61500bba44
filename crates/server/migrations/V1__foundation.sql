-- Countersign, first schema. One text for SQLite and PostgreSQL: text, bigint, bytea only.
-- Times are Unix microseconds (…_at), a nullable time stands for a boolean; exp of the log is Unix seconds.

-- Facts about this store itself: issuer URL, store id, id of the key-encryption key.
CREATE TABLE meta (
    name  text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE tenants (
    tenant     text   NOT NULL PRIMARY KEY,
    min_rsn    bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL
);

-- The revocation log: one head row per stream, and its entries.
CREATE TABLE rev_head (
    stream bigint NOT NULL PRIMARY KEY,
    rsn    bigint NOT NULL,
    floor  bigint NOT NULL DEFAULT 0,
    t      bigint NOT NULL,
    -- Where the floor is going, and when (domain/floor.rs). It is where it is going once floor_end has passed.
    floor_from  bigint NOT NULL DEFAULT 0,
    floor_goal  bigint NOT NULL DEFAULT 0,
    floor_begin bigint NOT NULL DEFAULT 0,
    floor_end   bigint NOT NULL DEFAULT 0
);
CREATE TABLE rev_log (
    stream bigint NOT NULL,
    rsn    bigint NOT NULL,
    kind   bigint NOT NULL,
    id     bytea  NOT NULL,
    exp    bigint NOT NULL,
    PRIMARY KEY (stream, rsn)
);
-- Access tokens that were ended one by one: nothing but the log knows of them.
CREATE INDEX rev_log_token ON rev_log (id) WHERE kind = 1;

CREATE TABLE users (
    user_id          text   NOT NULL PRIMARY KEY,
    tenant           text   NOT NULL,
    email            text   NOT NULL,
    email_key        text   NOT NULL,          -- the form that is compared: NFKC, lower case
    email_verified_at bigint,
    password_hash    text,                     -- PHC string
    password_changed_at bigint,
    credential_version bigint NOT NULL DEFAULT 0, -- goes up with each password and each address: links in mails are for one
    attributes       text   NOT NULL DEFAULT '{}', -- JSON object: what audiences may map into claims
    language         text,                     -- what its person chose for pages and mails; null: as their browser says
    theme            text,                     -- light or dark; null: as their system says
    disabled_at      bigint,
    delete_at        bigint,                   -- when the account goes, if its person wants that
    created_at       bigint NOT NULL,
    min_rsn          bigint NOT NULL DEFAULT 0,
    token_rsn        bigint NOT NULL DEFAULT 0,
    UNIQUE (tenant, email_key)
);
CREATE INDEX users_delete ON users (delete_at);

CREATE TABLE user_roles (
    user_id  text NOT NULL,
    audience text NOT NULL,                    -- '' is global: the role holds at every audience
    role     text NOT NULL,
    PRIMARY KEY (user_id, audience, role)
);
CREATE INDEX user_roles_role ON user_roles (role);

-- Roles that somebody described, and what they permit. A role that people have needs no row here.
CREATE TABLE roles (
    role        text   NOT NULL PRIMARY KEY,
    tenant      text   NOT NULL,
    description text   NOT NULL,
    created_at  bigint NOT NULL,
    required_acr text                          -- sessions that began with less do not have it; null: all have
);
CREATE TABLE role_permissions (
    role       text NOT NULL,
    audience   text NOT NULL,                  -- '' is everywhere
    permission text NOT NULL,
    PRIMARY KEY (role, audience, permission)
);
CREATE INDEX role_permissions_audience ON role_permissions (audience);

-- Groups: people who get roles together.
CREATE TABLE user_groups (
    group_id    text   NOT NULL PRIMARY KEY,
    tenant      text   NOT NULL,
    description text   NOT NULL,
    created_at  bigint NOT NULL
);
CREATE TABLE group_members (
    user_id   text   NOT NULL,
    group_id  text   NOT NULL,
    joined_at bigint NOT NULL,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX group_members_group ON group_members (group_id, user_id);
CREATE TABLE group_roles (
    group_id text NOT NULL,
    audience text NOT NULL,                    -- '' is everywhere
    role     text NOT NULL,
    PRIMARY KEY (group_id, audience, role)
);

-- Organisations: people who act for something together. What they may do by that counts in sessions that speak for it.
CREATE TABLE organisations (
    organisation text   NOT NULL PRIMARY KEY,
    tenant       text   NOT NULL,
    name         text   NOT NULL,              -- for people
    created_at   bigint NOT NULL
);
CREATE TABLE organisation_members (
    user_id      text   NOT NULL,
    organisation text   NOT NULL,
    joined_at    bigint NOT NULL,
    PRIMARY KEY (user_id, organisation)
);
CREATE INDEX organisation_members_organisation ON organisation_members (organisation, user_id);
CREATE TABLE organisation_roles (
    user_id      text NOT NULL,
    organisation text NOT NULL,
    audience     text NOT NULL,                -- '' is everywhere
    role         text NOT NULL,
    PRIMARY KEY (user_id, organisation, audience, role)
);
CREATE INDEX organisation_roles_organisation ON organisation_roles (organisation);
CREATE INDEX organisation_roles_role ON organisation_roles (role);
-- People who are asked to become members, by a link in a mail.
CREATE TABLE invitations (
    id           bytea  NOT NULL PRIMARY KEY,  -- SHA-256 of the link's token
    name         text   NOT NULL UNIQUE,       -- by which an administrator takes it back; opens nothing
    organisation text   NOT NULL,
    address      text   NOT NULL,              -- whose verified address this is may accept
    email_key    text   NOT NULL,
    roles        text   NOT NULL,              -- space-separated: ROLE@AUDIENCE, nothing behind the @ is everywhere
    invited_by   text   NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL
);
CREATE INDEX invitations_organisation ON invitations (organisation, name);
CREATE INDEX invitations_expiry ON invitations (expires_at);
CREATE INDEX invitations_email ON invitations (email_key);

-- Failed sign-ins per account, counted before the hash is computed.
CREATE TABLE login_limits (
    account    text   NOT NULL PRIMARY KEY,    -- hash of tenant and email_key: exists for unknown accounts too
    failures   bigint NOT NULL,
    free_at    bigint NOT NULL,                -- no attempt is looked at before this time
    updated_at bigint NOT NULL,
    locked_at  bigint NOT NULL DEFAULT 0       -- updated_at of the delay of which a security event tells
);
CREATE INDEX login_limits_updated ON login_limits (updated_at);

CREATE TABLE audiences (
    audience         text   NOT NULL PRIMARY KEY,
    tenant           text   NOT NULL,
    name             text   NOT NULL,
    alg              text   NOT NULL,          -- JWS algorithm of its access tokens
    sealed_secret    bytea,                    -- HS256 only: the secret shared with this audience
    scopes           text   NOT NULL DEFAULT '', -- space-separated: the scopes it understands
    claims           text   NOT NULL DEFAULT '{}', -- JSON object: claim name -> user attribute
    required_role    text,                     -- who may get its tokens at all
    access_token_ttl bigint,                   -- seconds; null: the issuer's
    disabled_scopes  text   NOT NULL DEFAULT '', -- space-separated: scopes that its tokens carry for nobody
    permissions      bigint NOT NULL DEFAULT 0, -- 1: its tokens say what the roles in them permit
    encryption       text,                     -- JSON: the public JWK that access tokens can be encrypted to, and how
    created_at       bigint NOT NULL
);

CREATE TABLE clients (
    client_id        text   NOT NULL PRIMARY KEY,
    tenant           text   NOT NULL,
    name             text   NOT NULL,
    secret_hash      bytea,                    -- SHA-256; null: a client with keys, or a public one
    prev_secret_hash bytea,                    -- the secret before it, good until prev_secret_until
    prev_secret_until bigint,
    jwks             text,                     -- JWK set of its public keys (private_key_jwt)
    jwks_uri         text,                     -- or where it publishes them
    scopes           text   NOT NULL DEFAULT '', -- space-separated: the scopes it may ask for
    audiences        text   NOT NULL,          -- space-separated: the audiences it may ask for; the first is its default
    grants           text   NOT NULL,          -- space-separated grant types
    roles            text   NOT NULL DEFAULT '', -- space-separated: roles of the client itself (client_credentials)
    alg              text,                     -- JWS algorithm of its access tokens; null: the audience's
    serves           text   NOT NULL DEFAULT '', -- space-separated: the audiences that it is, whose tokens it may introspect
    exchanges        text   NOT NULL DEFAULT '', -- space-separated: the audiences that it may exchange tokens for
    redirect_uris    text   NOT NULL DEFAULT '', -- space-separated: where an authorization response may go
    post_logout_redirect_uris text NOT NULL DEFAULT '', -- space-separated: where a browser may go after signing out
    backchannel_logout_uri text,               -- where it takes logout tokens; null: nowhere
    consent          text   NOT NULL DEFAULT 'ask', -- ask | implied: whether people are asked what it may have
    id_token_alg     text,                     -- JWS algorithm of its ID tokens; null: the issuer's default
    require_pushed   bigint NOT NULL DEFAULT 0, -- 1: its authorization requests must be pushed (RFC 9126)
    require_signed   bigint NOT NULL DEFAULT 0, -- 1: its authorization requests must be signed (RFC 9101)
    required_acr     text,                     -- how strong a sign-in to it must be; null: any
    access_token_ttl bigint,                   -- seconds
    refresh_idle     bigint,                   -- seconds
    refresh_absolute bigint,                   -- seconds
    dpop_bound       bigint NOT NULL DEFAULT 0, -- 1: it must prove a key whenever it asks for tokens (RFC 9449)
    access_token_format text NOT NULL DEFAULT 'signed', -- signed | opaque | encrypted
    id_token_encryption text,                  -- JSON: the public JWK that its ID tokens are encrypted to, and how; null: they are not
    userinfo_alg     text,                     -- JWS algorithm of the answers of /userinfo; null: plain JSON
    sector           text,                     -- it knows people by pairwise ids of this sector; null: by their public ones
    registration_hash bytea,                   -- SHA-256 of its registration access token; null: an administrator added it
    said             text,                     -- JSON: what it said of itself that nothing here follows from; it reads it back
    builtin_at       bigint,                   -- not null: made by the first start, cannot be removed
    disabled_at      bigint,
    removed_at       bigint,                   -- its row stays, so that nobody else ever gets its name; disabled_at is set too
    created_at       bigint NOT NULL,
    min_rsn          bigint NOT NULL DEFAULT 0,
    token_rsn        bigint NOT NULL DEFAULT 0
);
-- How a client looks on the pages; read for pages alone.
CREATE TABLE brands (
    client_id  text NOT NULL PRIMARY KEY,
    logo       bytea,                          -- PNG
    colour     text,                           -- #rrggbb
    policy_uri text,
    tos_uri    text
);
-- Initial access tokens: whoever has one registers clients, so many and for so long (RFC 7591).
CREATE TABLE registration_tokens (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256
    uses       bigint NOT NULL,                -- that are left
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX clients_backchannel ON clients (backchannel_logout_uri);

CREATE TABLE signins (
    id           bytea  NOT NULL PRIMARY KEY,  -- SHA-256 of the cookie's value (or of a random value for bearer sign-ins)
    user_id      text   NOT NULL,
    auth_time    bigint NOT NULL,
    amr          text   NOT NULL,              -- space-separated, RFC 8176
    acr          text   NOT NULL,
    auth_rsn     bigint NOT NULL,
    device       text   NOT NULL,              -- user agent, cut to 256 bytes
    ip           text   NOT NULL,
    created_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at   bigint NOT NULL,
    revoked_at   bigint,
    revoked_reason text,
    due_at       bigint NOT NULL DEFAULT 0     -- as of sessions
);
CREATE INDEX signins_user ON signins (user_id, created_at);
CREATE INDEX signins_due ON signins (due_at);

CREATE TABLE sessions (
    sid             text   NOT NULL PRIMARY KEY,
    signin_id       bytea  NOT NULL,
    user_id         text   NOT NULL,
    client_id       text   NOT NULL,
    tenant          text   NOT NULL,
    scope           text   NOT NULL,
    audience        text   NOT NULL,           -- space-separated
    auth_rsn        bigint NOT NULL,
    auth_time       bigint NOT NULL DEFAULT 0, -- how its person had signed in when it was opened: a newer sign-in of the same
    amr             text   NOT NULL DEFAULT '', -- browser says nothing about it
    acr             text   NOT NULL DEFAULT '',
    gen             bigint NOT NULL DEFAULT 0,
    nonce           bytea  NOT NULL,
    prev_nonce      bytea  NOT NULL,
    used            bigint NOT NULL DEFAULT 0,
    outcome         bigint NOT NULL DEFAULT 0, -- what the last refresh came to; 0: none yet, else domain/refresh.rs, Grant::code
    shares          bigint NOT NULL DEFAULT 0,
    shared_gens     bigint NOT NULL DEFAULT 0, -- generations in which anything was shared
    rotated_at      bigint NOT NULL DEFAULT 0,
    at_exp          bigint NOT NULL,           -- the latest exp of any access token of this session, Unix seconds
    created_at      bigint NOT NULL,
    last_seen_at    bigint NOT NULL,
    expires_at      bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    revoked_at      bigint,
    revoked_reason  text,
    revoked_detail  text,                      -- JSON: which token, from where, how far apart
    dpop_jkt        text,
    organisation    text,                      -- for which its tokens speak; null: for the person alone
    claims          text,                      -- space-separated: what UserInfo tells besides the claims of the scope
    committed       bigint NOT NULL DEFAULT 0, -- 1: rule B
    due_at          bigint NOT NULL DEFAULT 0  -- it is not over before: when trimming looks at it (store/trim.rs). No refresh writes it
);
CREATE INDEX sessions_signin ON sessions (signin_id);
CREATE INDEX sessions_user ON sessions (user_id, client_id);
CREATE INDEX sessions_client ON sessions (client_id);
CREATE INDEX sessions_due ON sessions (due_at);

-- Proofs of possession (RFC 9449) that were used and could be used again. Short-lived.
CREATE TABLE used_proofs (
    jkt text   NOT NULL,                       -- thumbprint of the key
    id  bytea  NOT NULL,                       -- hash of the key, the target and the jti
    exp bigint NOT NULL,                       -- Unix seconds: refused for its age from here on
    PRIMARY KEY (jkt, id)
);
CREATE INDEX used_proofs_exp ON used_proofs (exp);

-- Assertions of clients (RFC 7523) that were used and could be used again. Short-lived.
CREATE TABLE used_assertions (
    client_id text   NOT NULL,
    id        bytea  NOT NULL,                 -- SHA-256 of the jti
    exp       bigint NOT NULL,                 -- Unix seconds: refused for its age from here on
    PRIMARY KEY (client_id, id)
);
CREATE INDEX used_assertions_exp ON used_assertions (exp);

-- Authorization requests whose person is signing in or agreeing. Bound to one browser, and to the parameters as they came.
CREATE TABLE authorizations (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of what the page's address carries
    browser    bytea  NOT NULL,                -- SHA-256 of the browser's pre-session
    client_id  text   NOT NULL,
    parameters text   NOT NULL,                -- the query, with the endpoint's own parameters alone
    pushed     bytea,                          -- the pushed request that it is
    device     bytea,                          -- the device that its person is asked about: no request at all
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX authorizations_expiry ON authorizations (expires_at);

-- Authorization requests that clients pushed (RFC 9126) and that were not granted.
CREATE TABLE pushed_requests (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of its request_uri
    client_id  text   NOT NULL,
    parameters text   NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL                 -- forgotten from here on; good for a minute
);
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);

-- Devices whose person signs in elsewhere (RFC 8628): what they wait for, what was answered, and how fast they ask.
CREATE TABLE devices (
    id          bytea  NOT NULL PRIMARY KEY,   -- SHA-256 of the device_code
    user_code   text   NOT NULL UNIQUE,        -- what the person types; worth nothing without their sign-in
    client_id   text   NOT NULL,
    scope       text   NOT NULL,
    audience    text   NOT NULL,
    pace        bigint NOT NULL,               -- microseconds between two questions
    polled_at   bigint NOT NULL DEFAULT 0,
    hasty       bigint NOT NULL DEFAULT 0,     -- 1: the last question came too soon
    created_at  bigint NOT NULL,
    expires_at  bigint NOT NULL,
    answered_at bigint,
    user_id     text,                          -- who allowed it; null beside answered_at: it was refused
    auth_time   bigint,
    amr         text,
    acr         text,
    auth_rsn    bigint,
    sid         text                           -- set when it is redeemed
);
CREATE INDEX devices_expiry ON devices (expires_at);
CREATE INDEX devices_user ON devices (user_id) WHERE user_id IS NOT NULL;

-- Other OpenID providers that people sign in with.
CREATE TABLE upstreams (
    upstream      text   NOT NULL PRIMARY KEY, -- its name in addresses
    tenant        text   NOT NULL,
    label         text   NOT NULL,             -- for people
    issuer        text   NOT NULL,
    client_id     text   NOT NULL,             -- who we are there
    sealed_secret bytea,                       -- our secret there; null: a public client
    signup        bigint NOT NULL,             -- 1: a person who is not known yet gets an account
    created_at    bigint NOT NULL
);
-- Who people are there.
CREATE TABLE identities (
    issuer     text   NOT NULL,
    subject    text   NOT NULL,
    user_id    text   NOT NULL,
    by_password bigint NOT NULL,               -- 1: the account's password was shown for it; it goes with that password
    created_at bigint NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);
-- People who are away, signing in there. Bound to one browser.
CREATE TABLE upstream_trips (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of the state
    browser    bytea  NOT NULL,                -- SHA-256 of the browser's pre-session
    request    text   NOT NULL,                -- what they sign in for, as pages name it
    upstream   text   NOT NULL,
    metadata   text   NOT NULL,                -- JSON: what the upstream said of itself when they left
    nonce      text   NOT NULL,
    verifier   text   NOT NULL,                -- PKCE
    fresh      bigint NOT NULL,                -- 1: they must sign in there anew
    head       bigint NOT NULL,                -- of the log when they left: what their sign-in carries
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX upstream_trips_expiry ON upstream_trips (expires_at);
-- People who came back, and must show by its password that an account is theirs.
CREATE TABLE upstream_links (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of what the form carries
    browser    bytea  NOT NULL,
    issuer     text   NOT NULL,
    subject    text   NOT NULL,
    user_id    text   NOT NULL,                -- whose password will show it
    expires_at bigint NOT NULL
);
CREATE INDEX upstream_links_expiry ON upstream_links (expires_at);
CREATE INDEX upstream_links_user ON upstream_links (user_id);

-- Authenticator apps. One that was not confirmed is none yet.
CREATE TABLE totps (
    factor_id    text   NOT NULL PRIMARY KEY,
    user_id      text   NOT NULL,
    name         text   NOT NULL,              -- its owner's word for it
    sealed       bytea  NOT NULL,              -- the seed, under the key-encryption key
    last_step    bigint NOT NULL DEFAULT 0,    -- the newest time step whose code was used: none is used twice
    created_at   bigint NOT NULL,
    confirmed_at bigint,
    last_used_at bigint
);
CREATE INDEX totps_user ON totps (user_id);
CREATE INDEX totps_unconfirmed ON totps (created_at) WHERE confirmed_at IS NULL;
-- Passkeys: public keys, of no use to whoever steals them.
CREATE TABLE passkeys (
    factor_id     text   NOT NULL PRIMARY KEY,
    user_id       text   NOT NULL,
    name          text   NOT NULL,             -- its owner's word for it
    credential_id bytea  NOT NULL UNIQUE,      -- the authenticator's name for it
    public_key    text   NOT NULL,             -- JWK
    sign_count    bigint NOT NULL,             -- how often it was used, if its authenticator counts: one that goes back is a copy's
    backup        text   NOT NULL,             -- never, possible, done: whether it is on other devices of its owner, too
    transports    text   NOT NULL,             -- space-separated: how its authenticator is reached
    aaguid        bytea  NOT NULL,             -- the model of its authenticator, by its own word
    created_at    bigint NOT NULL,
    last_used_at  bigint
);
CREATE INDEX passkeys_user ON passkeys (user_id);
-- Challenges that were answered, until they are too old to be answered again.
CREATE TABLE used_challenges (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256
    expires_at bigint NOT NULL
);
CREATE INDEX used_challenges_expiry ON used_challenges (expires_at);
-- Recovery codes, each good once.
CREATE TABLE recovery_codes (
    user_id    text   NOT NULL,
    hash       bytea  NOT NULL,                -- SHA-256 of user and code, which has 120 random bits
    created_at bigint NOT NULL,
    used_at    bigint,
    PRIMARY KEY (user_id, hash)
);
-- Sign-ins whose first factor was right and whose second is owed. Each grants nothing.
CREATE TABLE pending_signins (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of a ticket, or of the browser's pre-session and its request
    user_id    text   NOT NULL,
    auth_time  bigint NOT NULL,
    auth_rsn   bigint NOT NULL,
    first      text   NOT NULL,                -- what the first factor was: password | mail | upstream
    upstream   text,                           -- the other provider whose word it was
    link       text,                           -- what becomes the account's once this is done; worth nothing in another browser
    wants      text,                           -- JSON: what the application asked for; null on the pages
    expires_at bigint NOT NULL
);
CREATE INDEX pending_signins_expiry ON pending_signins (expires_at);
CREATE INDEX pending_signins_user ON pending_signins (user_id);

-- Authorization codes: what each is bound to, and the session that it was redeemed for.
CREATE TABLE codes (
    code         bytea  NOT NULL PRIMARY KEY,  -- SHA-256
    client_id    text   NOT NULL,
    redirect_uri text   NOT NULL,
    challenge    bytea  NOT NULL,              -- PKCE, S256
    signin_id    bytea  NOT NULL,
    user_id      text   NOT NULL,
    scope        text   NOT NULL,
    audience     text   NOT NULL,
    nonce        text,
    dpop_jkt     text,
    userinfo_claims text,                      -- space-separated: claims that were asked for by name
    id_token_claims text,
    organisation text,                         -- for which the session is to speak
    expires_at   bigint NOT NULL,
    redeemed_at  bigint,
    sid          text                          -- set when it is redeemed
);
CREATE INDEX codes_user ON codes (user_id, client_id);
CREATE INDEX codes_expiry ON codes (expires_at);
CREATE INDEX codes_signin ON codes (signin_id) WHERE redeemed_at IS NULL;

-- Clients that must hear that a session of theirs has ended, until they have (back-channel logout).
CREATE TABLE notices (
    sid        text   NOT NULL PRIMARY KEY,
    user_id    text   NOT NULL,
    client_id  text   NOT NULL,
    attempts   bigint NOT NULL,
    next_at    bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX notices_next ON notices (next_at);
CREATE INDEX notices_client ON notices (client_id);

-- Secrets that were sent by mail: worth nothing once used, or when the account has another password or address.
CREATE TABLE mail_tokens (
    id         bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of purpose and token: nobody can use one for another purpose
    purpose    text   NOT NULL,                -- verify | reset | change | signin
    user_id    text   NOT NULL,
    version    bigint NOT NULL,                -- the user's credential_version when it was made
    address    text   NOT NULL,                -- where it was sent to
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX mail_tokens_user ON mail_tokens (user_id, purpose);
CREATE INDEX mail_tokens_expiry ON mail_tokens (expires_at);
-- What a mail to sign in with is bound to, and the code that stands in it besides its link.
CREATE TABLE mail_codes (
    bound      bytea  NOT NULL PRIMARY KEY,    -- SHA-256 of the browser's pre-session and its request
    request    text   NOT NULL,                -- the request, as its pages call it; worth nothing in another browser
    code       bytea  NOT NULL,                -- SHA-256 of the code and what it is bound to
    token_id   bytea  NOT NULL,
    tries      bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX mail_codes_token ON mail_codes (token_id);
CREATE INDEX mail_codes_expiry ON mail_codes (expires_at);
-- Mails that a server must take, until one has; dead letters, which nobody tries any more.
CREATE TABLE mails (
    mail_id    text   NOT NULL PRIMARY KEY,    -- the same at each attempt: it is the Message-ID
    user_id    text   NOT NULL,
    letter     text   NOT NULL,                -- what it is about (domain/mail.rs)
    language   text   NOT NULL,
    address    text   NOT NULL,                -- where it goes
    detail     text   NOT NULL,                -- what it says besides; no secret
    sealed     bytea,                          -- the token of its link, under the key-encryption key; null: none, or a dead letter
    attempts   bigint NOT NULL,
    next_at    bigint NOT NULL,
    expires_at bigint NOT NULL,                -- of no use from here on
    created_at bigint NOT NULL,
    problem    text,                           -- why the last attempt failed
    dead_at    bigint
);
CREATE INDEX mails_next ON mails (next_at);
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_dead ON mails (dead_at) WHERE dead_at IS NOT NULL;

-- What a person has agreed that a client may have.
CREATE TABLE consents (
    user_id    text   NOT NULL,
    client_id  text   NOT NULL,
    scope      text   NOT NULL,
    granted_at bigint NOT NULL,                -- the first time
    updated_at bigint NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- The key ring. The private part is sealed (AES-256-GCM) under the key-encryption key, which is never in the database.
CREATE TABLE keys (
    kid          text   NOT NULL PRIMARY KEY,
    purpose      text   NOT NULL,              -- token | refresh | feed
    alg          text   NOT NULL,
    state        text   NOT NULL,              -- staged | published | active | retiring | removed
    store        text,                         -- the key store that it lies in, of which sealed says where; null: sealed holds it
    sealed       bytea,                        -- null once removed
    public_jwk   text,                         -- null for a secret
    created_at   bigint NOT NULL,
    published_at bigint,
    active_at    bigint,
    retiring_at  bigint,
    removed_at   bigint
);
-- In each slot (purpose, alg) one key signs and at most one waits to follow it, whatever the replicas do.
CREATE UNIQUE INDEX keys_active ON keys (purpose, alg) WHERE state = 'active';
CREATE UNIQUE INDEX keys_successor ON keys (purpose, alg) WHERE state IN ('staged', 'published');

-- Which of a replica's connected verifiers have a key that is published and signs nothing yet.
CREATE TABLE key_verifiers (
    kid      text   NOT NULL,
    replica  text   NOT NULL,                  -- random, anew at each start
    knowing  bigint NOT NULL,                  -- how many have it
    lagging  bigint NOT NULL,                  -- how many have not
    who      text   NOT NULL,                  -- the first of these, a JSON array of text
    until    bigint NOT NULL,                  -- after that the row says nothing: its replica is gone
    PRIMARY KEY (kid, replica)
);

-- The key-encryption key as key stores have wrapped it. Where a file holds it there is no row.
CREATE TABLE kek_wraps (
    store      text   NOT NULL PRIMARY KEY,    -- transit | pkcs11 | kms
    kek_id     text   NOT NULL,
    wrapped    text   NOT NULL,
    place      text   NOT NULL,                -- the store and the key in it, for people
    created_at bigint NOT NULL
);

-- Security events, written in the transaction of the change they tell of. id sorts by time.
CREATE TABLE audit (
    id         text   NOT NULL PRIMARY KEY,
    at         bigint NOT NULL,
    event      text   NOT NULL,                -- OWASP logging vocabulary
    actor      text   NOT NULL,                -- user id, client id, 'local' (Unix socket or CLI), 'anonymous' or 'system'
    user_id    text,
    client_id  text,
    sid        text,
    ip         text   NOT NULL,
    request_id text   NOT NULL,
    detail     text   NOT NULL DEFAULT '{}'    -- JSON object, no secrets
);
CREATE INDEX audit_user ON audit (user_id, id);

-- Work that one replica does at a time (turns.rs): who does it or did it last, until when nobody else does, when it is due again;
-- and for trimming the time that is known to have passed (domain/trim.rs).
CREATE TABLE turns (
    name      text   NOT NULL PRIMARY KEY,
    holder    text   NOT NULL,
    until     bigint NOT NULL,
    next_at   bigint NOT NULL,
    confirmed bigint NOT NULL
);

INSERT INTO tenants (tenant, created_at) VALUES ('default', 0);
INSERT INTO rev_head (stream, rsn, t) VALUES (0, 0, 0);
