//! THE TABLE: every endpoint is one row. The router, the check of credentials, the OpenAPI document and the test that
//! tries each row without and with wrong credentials are all made from it.

mod router;
mod row;

use axum::{
    extract::Request,
    response::Response,
    routing::{delete, get, post, put},
};

use crate::{
    app::App,
    domain::registration::Metadata,
    http::{
        account, admin, authorize, clients,
        context::Peer,
        device, docs, email,
        front::{Front, Ready},
        health, introspect, login, logout, metrics, par, password, register, revocations, revoke, session, token, ui,
        userinfo, well_known,
    },
};

use Access::{Admin, Credential, Local, Public, Reader, SignedIn};
use Verb::{Delete, Get, Post, Put};
pub use row::{Access, Route, Takes, Verb};
use row::{Handler, document, row};

const PAGE: &[&str] = &["after", "limit"];

pub const ROUTES: &[Route] = &[
    // Operations.
    row(Get, "/healthz", Public, "The process lives", || get(health::healthz)),
    row(Get, "/readyz", Public, "It can serve: database and keys", || get(health::readyz)),
    row(Get, "/metrics", Admin, "Prometheus metrics", || get(metrics::metrics)),
    row(Get, "/openapi.json", Public, "This document", || get(docs::openapi)),
    row(Get, "/docs/errors", Public, "A page for each error code", || get(docs::errors)),
    // Standard.
    document("/.well-known/openid-configuration", "Metadata", well_known::metadata),
    document("/.well-known/oauth-authorization-server", "Metadata (RFC 8414)", well_known::metadata),
    document("/.well-known/jwks.json", "Public keys (RFC 7517)", well_known::jwks),
    row(Get, "/authorize", Credential, "A person signs in to a client (OAuth 2.1, OpenID Connect)", || {
        get(authorize::get)
    })
    .query(authorize::PARAMETERS),
    row(Post, "/authorize", Credential, "The same in a form", || post(authorize::post)).form(authorize::PARAMETERS),
    row(Post, "/par", Credential, "A client pushes its authorization request (RFC 9126)", || post(par::push))
        .form(par::PARAMETERS)
        .answers::<par::PushedResponse>()
        .any_origin(),
    row(Post, "/device", Credential, "A device asks to be let in from another one (RFC 8628)", || post(device::begin))
        .form(device::PARAMETERS)
        .answers::<device::DeviceResponse>(),
    row(Get, "/userinfo", Credential, "What a client may know about its person (OpenID Connect)", || {
        get(userinfo::userinfo)
    })
    .any_origin(),
    row(Post, "/userinfo", Credential, "The same by POST", || post(userinfo::userinfo)).any_origin(),
    row(Post, "/token", Credential, "Every grant (OAuth 2.1, RFC 8628, RFC 8693)", || post(token::token))
        .form(token::PARAMETERS)
        .answers::<token::TokenResponse>()
        .any_origin(),
    // The revocation feed.
    row(Get, "/revocations/{stream}", Reader, "The signed revocation feed: events, long-poll or plain", || {
        get(revocations::feed)
    })
    .query(&["after", "wait_ms"]),
    row(Get, "/revocations/{stream}/time", Reader, "The feed's time anchor", || get(revocations::time)).query(&["n"]),
    row(Get, "/revocations/{stream}/jwks.json", Public, "The feed's public keys (RFC 7517)", || get(revocations::jwks))
        .any_origin(),
    row(Post, "/revoke", Credential, "End a refresh token's session, or an access token (RFC 7009)", || {
        post(revoke::revoke)
    })
    .form(revoke::PARAMETERS)
    .any_origin(),
    row(Post, "/introspect", Credential, "Is this token active? For the service it is meant for (RFC 7662)", || {
        post(introspect::introspect)
    })
    .form(introspect::PARAMETERS),
    // Clients that register themselves (RFC 7591, RFC 7592).
    row(Post, "/clients", Credential, "A client registers itself (RFC 7591); off by default", || {
        post(clients::register)
    })
    .json::<Metadata>()
    .any_origin(),
    row(Get, "/clients/{id}", Credential, "What it is registered as (RFC 7592)", || get(clients::show)).any_origin(),
    row(Put, "/clients/{id}", Credential, "All that it says of itself from now on", || put(clients::update))
        .json::<Metadata>()
        .any_origin(),
    row(Delete, "/clients/{id}", Credential, "It goes; its sessions and tokens end", || delete(clients::remove))
        .any_origin(),
    // First party.
    row(Post, "/register", Public, "Make an account; the same answer for a known e-mail", || post(register::register))
        .json::<register::Register>(),
    row(Post, "/login", Credential, "Sign in with a password", || post(login::login))
        .json::<login::Login>()
        .answers::<token::TokenResponse>(),
    row(Post, "/login/mfa", Credential, "Finish a sign-in with the second factor", || post(login::mfa::finish))
        .json::<login::mfa::Finish>()
        .answers::<token::TokenResponse>(),
    row(Get, "/logout", Public, "A client signs its person out (OpenID Connect RP-Initiated Logout)", || {
        get(ui::signout::request)
    })
    .query(ui::signout::PARAMETERS),
    row(Post, "/logout", Credential, "End this sign-in, or everything of this user", || post(logout::logout))
        .json::<logout::Logout>(),
    row(Get, "/session", SignedIn, "Who am I, until when", || get(session::session)).answers::<session::Session>(),
    row(Post, "/password/change", SignedIn, "Change the password; ends every session", || post(password::change))
        .json::<password::Change>(),
    row(
        Post,
        "/password/forgot",
        Public,
        "A mail with a link to set a new password; the same answer without an account",
        || post(password::forgot::forgot),
    )
    .json::<password::forgot::Forgot>(),
    row(Post, "/password/reset", Credential, "Set a new password with that link; ends every session", || {
        post(password::reset::reset)
    })
    .json::<password::reset::Reset>(),
    row(Post, "/email/verify", Credential, "The address is mine, says the link of a mail", || {
        post(email::verify::verify)
    })
    .json::<email::verify::Verify>(),
    row(Post, "/email/change", SignedIn, "Ask for another address; the old one hears of it", || {
        post(email::change::ask)
    })
    .json::<email::change::Change>(),
    row(Post, "/email/change/confirm", Credential, "Confirm it from the new address", || post(email::change::confirm))
        .json::<email::change::Confirm>(),
    // Pages.
    row(Get, "/ui/signin", Credential, "Sign in (page)", || get(ui::signin::show)).query(&["request", "switch"]),
    row(Post, "/ui/signin", Credential, "Sign in", || post(ui::signin::sign_in)).form(ui::signin::PARAMETERS),
    row(Post, "/ui/signin/mail/send", Credential, "Have a code and a link sent", || post(ui::signin::mail::send))
        .form(ui::signin::PARAMETERS),
    row(Get, "/ui/signin/mail", Credential, "The code of the mail (page), or its link; a look uses nothing up", || {
        get(ui::signin::mail::show)
    })
    .query(&["request", "token", "switch"]),
    row(Post, "/ui/signin/mail", Credential, "Sign in by it", || post(ui::signin::mail::sign_in))
        .form(ui::signin::mail::PARAMETERS),
    row(Post, "/ui/signin/passkey", Credential, "Sign in with a passkey alone", || post(ui::signin::passkey::sign_in))
        .form(ui::signin::passkey::PARAMETERS),
    row(Get, "/ui/register", Public, "Make an account (page)", || get(ui::register::show)).query(&["request"]),
    row(Post, "/ui/register", Credential, "Make it; the same answer for a known e-mail", || {
        post(ui::register::register)
    })
    .form(ui::register::PARAMETERS),
    row(Get, "/account", Public, "My account (page); who is not signed in is sent to do so", || get(ui::account::show))
        .query(&["done"]),
    row(Post, "/account", Credential, "Sign devices out, take a consent back", || post(ui::account::act))
        .form(ui::account::PARAMETERS),
    row(Get, "/account/security", Public, "How I sign in (page)", || get(ui::account::security::show)).query(&["done"]),
    row(Post, "/account/security", Credential, "Add an app, take a factor away", || post(ui::account::security::act))
        .form(ui::account::security::PARAMETERS),
    row(Post, "/account/security/authenticator", Credential, "A code of the app, which counts from then on", || {
        post(ui::account::security::confirm)
    })
    .form(ui::account::security::CODE),
    row(Get, "/account/email", Public, "My address (page)", || get(ui::account::email::show)),
    row(Post, "/account/email", Credential, "Another, or the mail that confirms it", || post(ui::account::email::act))
        .form(ui::account::email::PARAMETERS),
    row(Get, "/account/delete", Public, "Delete my account (page)", || get(ui::account::deletion::show)),
    row(Post, "/account/delete", Credential, "Yes, after a while", || post(ui::account::deletion::delete))
        .form(ui::account::deletion::PARAMETERS),
    row(Get, "/account/passkey", Public, "Add a passkey (page)", || get(ui::account::passkey::show)),
    row(Post, "/account/passkey", Credential, "What the browser has made", || post(ui::account::passkey::make))
        .form(ui::account::passkey::PARAMETERS),
    row(Get, "/ui/mfa", Credential, "The second factor (page)", || get(ui::mfa::show)).query(&["request"]),
    row(Post, "/ui/mfa", Credential, "The code", || post(ui::mfa::finish)).form(ui::mfa::PARAMETERS),
    row(Post, "/ui/mfa/passkey", Credential, "A passkey", || post(ui::mfa::passkey::finish))
        .form(ui::mfa::passkey::PARAMETERS),
    row(Get, "/ui/upstream", Credential, "Sign in with another provider: to there", || get(ui::upstream::leave))
        .query(&["request", "upstream"]),
    row(Get, "/ui/upstream/callback/{name}", Credential, "Sign in with another provider: back from there", || {
        get(ui::upstream::come_back)
    })
    .query(ui::upstream::ANSWER),
    row(Get, "/ui/consent", Credential, "What may this client have? (page)", || get(ui::consent::show))
        .query(&["request"]),
    row(Post, "/ui/consent", Credential, "Allow it or not", || post(ui::consent::decide)).form(ui::consent::PARAMETERS),
    row(Post, "/ui/signout", Credential, "Yes, sign out", || post(ui::signout::confirm))
        .form(ui::signout::FORM_PARAMETERS),
    row(Get, "/ui/password/forgot", Public, "Forgot your password? (page)", || get(ui::password::ask)),
    row(Post, "/ui/password/forgot", Credential, "Have a link sent", || post(ui::password::send))
        .form(ui::password::FORGOT),
    row(Get, "/ui/password/reset", Credential, "Set a new password (page); a look uses nothing up", || {
        get(ui::password::show)
    })
    .query(&["token"]),
    row(Post, "/ui/password/reset", Credential, "Set it", || post(ui::password::set)).form(ui::password::RESET),
    row(Get, "/ui/email/verify", Credential, "Is this your address? (page)", || get(ui::email::verify))
        .query(&["token"]),
    row(Post, "/ui/email/verify", Credential, "Yes, it is", || post(ui::email::verified)).form(ui::email::VERIFY),
    row(Get, "/ui/email/change", Credential, "Shall your account have this address? (page)", || get(ui::email::change))
        .query(&["token"]),
    row(Post, "/ui/email/change", Credential, "Yes, it shall", || post(ui::email::changed)).form(ui::email::CHANGE),
    row(Get, "/ui/invitation", Credential, "Join an organisation? (page)", || get(ui::invitation::show))
        .query(&["token"]),
    row(Post, "/ui/invitation", Credential, "Yes, join it", || post(ui::invitation::accept))
        .form(ui::invitation::PARAMETERS),
    row(Get, "/ui/device", Public, "Let a device in (page)", || get(ui::device::show)).query(&["user_code", "request"]),
    row(Post, "/ui/device", Credential, "The code that a device shows, or yes or no", || post(ui::device::post))
        .form(ui::device::PARAMETERS),
    row(Post, "/ui/language", Credential, "Another language for the pages in this browser", || {
        post(ui::language::choose)
    })
    .form(ui::language::PARAMETERS),
    row(Get, "/ui/style.css", Public, "The pages' style", || get(ui::assets::style)),
    row(Get, "/ui/brand/{colour}", Public, "The style of pages in a client's colour", || get(ui::assets::brand)),
    row(Get, "/ui/page.js", Public, "The pages' script", || get(ui::assets::script)),
    row(Get, "/ui/passkey.js", Public, "The script that passkeys need", || get(ui::assets::passkey_script)),
    // Account.
    row(Get, "/api/account/consents", SignedIn, "What I agreed that clients may have", || get(account::consents::list))
        .query(PAGE),
    row(Delete, "/api/account/consents/{id}", SignedIn, "Take a consent back; the client's sessions end", || {
        delete(account::consents::withdraw)
    }),
    row(Get, "/api/account/factors", SignedIn, "My second factors", || get(account::factors::list)),
    row(Post, "/api/account/factors/totp", SignedIn, "Begin to add an authenticator app", || {
        post(account::factors::totp::begin)
    })
    .json::<account::factors::totp::NewTotp>(),
    row(Post, "/api/account/factors/totp/{id}/confirm", SignedIn, "It counts, once a code of it was shown", || {
        post(account::factors::totp::confirm)
    })
    .json::<account::factors::totp::Confirm>(),
    row(Post, "/api/account/factors/passkeys/options", SignedIn, "What the browser makes a passkey from", || {
        post(account::factors::passkeys::begin)
    }),
    row(Post, "/api/account/factors/passkeys", SignedIn, "Add the passkey that it made", || {
        post(account::factors::passkeys::finish)
    })
    .json::<account::factors::passkeys::NewPasskey>(),
    row(Delete, "/api/account/factors/{id}", SignedIn, "Take a factor away", || delete(account::factors::remove))
        .query(&["end_other_sessions"]),
    row(Post, "/api/account/recovery-codes", SignedIn, "Make new recovery codes, shown once; the old ones end", || {
        post(account::recovery_codes::make)
    }),
    row(Get, "/api/account/sessions", SignedIn, "Where I am signed in, ended sessions with their reason", || {
        get(account::sessions::list)
    })
    .query(PAGE),
    row(Delete, "/api/account/sessions/{sid}", SignedIn, "End one of my sessions; its client hears of it", || {
        delete(account::sessions::end)
    }),
    row(Get, "/api/account/signins", SignedIn, "The devices on which I am signed in", || get(account::signins::list)),
    row(Delete, "/api/account/signins/{id}", SignedIn, "Sign one of them out", || delete(account::signins::end)),
    row(Post, "/api/account/signins/end-others", SignedIn, "Sign every other one out", || {
        post(account::signins::end_others)
    }),
    row(Get, "/api/account/activity", SignedIn, "What happened: sign-ins, failures, why I was signed out", || {
        get(account::activity::list)
    })
    .query(PAGE),
    row(Get, "/api/account/settings", SignedIn, "The language and the look that I chose", || {
        get(account::settings::show)
    }),
    row(Put, "/api/account/settings", SignedIn, "Choose them, or leave them to my browser", || {
        put(account::settings::change)
    })
    .json::<account::settings::Settings>(),
    row(Get, "/api/account/export", SignedIn, "All that is kept about me, as one file", || {
        get(account::export::export)
    }),
    row(Post, "/api/account/delete", SignedIn, "Delete my account after a while; ends everything now", || {
        post(account::deletion::delete)
    })
    .json::<account::deletion::Delete>(),
    row(Post, "/api/account/keep", SignedIn, "Keep it after all", || post(account::deletion::keep)),
    row(Get, "/api/account/organisations", SignedIn, "The organisations that I belong to", || {
        get(account::organisations::list)
    }),
    row(Delete, "/api/account/organisations/{id}", SignedIn, "Leave one; my tokens that speak for it end", || {
        delete(account::organisations::leave)
    }),
    row(Post, "/api/account/invitations/accept", SignedIn, "Join an organisation by the link of a mail", || {
        post(account::invitations::accept)
    })
    .json::<account::invitations::Accept>(),
    // Administration.
    row(Get, "/api/admin/users", Admin, "List users", || get(admin::users::list)).query(&["after", "limit", "email"]),
    row(Post, "/api/admin/users", Admin, "Add a user", || post(admin::users::add)).json::<admin::users::NewUser>(),
    row(Post, "/api/admin/users/import", Admin, "Take over accounts, with the hashes of their passwords", || {
        post(admin::users::import)
    })
    .json::<admin::users::Import>(),
    row(Get, "/api/admin/users/export", Local, "Accounts as an import takes them, hashes included", || {
        get(admin::users::export)
    })
    .query(&["after", "limit", "email"]),
    row(Get, "/api/admin/users/{id}", Admin, "Show a user, by id or e-mail", || get(admin::users::show)),
    row(Delete, "/api/admin/users/{id}", Admin, "Remove a user with all that is theirs, for good", || {
        delete(admin::users::remove)
    }),
    row(Post, "/api/admin/users/{id}/disable", Admin, "Disable a user; ends everything", || {
        post(admin::users::disable)
    }),
    row(Post, "/api/admin/users/{id}/enable", Admin, "Enable a user", || post(admin::users::enable)),
    row(Get, "/api/admin/users/{id}/identities", Admin, "Who the user is at other providers", || {
        get(admin::identities::list)
    }),
    row(
        Post,
        "/api/admin/users/{id}/disconnect",
        Admin,
        "One of these opens the account no longer; ends everything",
        || post(admin::identities::disconnect),
    )
    .json::<admin::identities::Disconnect>(),
    row(Get, "/api/admin/users/{id}/factors", Admin, "A user's second factors", || get(admin::factors::list)),
    row(Delete, "/api/admin/users/{id}/factors", Admin, "Take them all away; ends everything", || {
        delete(admin::factors::reset)
    }),
    row(Put, "/api/admin/users/{id}/roles", Admin, "Set a user's roles", || put(admin::users::set_roles))
        .json::<admin::users::Roles>(),
    row(Put, "/api/admin/users/{id}/attributes", Admin, "Set what audiences may map into claims", || {
        put(admin::users::set_attributes)
    })
    .json::<admin::users::NewAttributes>(),
    row(Put, "/api/admin/users/{id}/password", Local, "Set a user's password; ends everything", || {
        put(admin::users::set_password)
    })
    .json::<admin::users::NewPassword>(),
    row(Get, "/api/admin/roles", Admin, "List roles and what they permit", || get(admin::roles::list)).query(PAGE),
    row(Post, "/api/admin/roles", Admin, "Describe a role", || post(admin::roles::add)).json::<admin::roles::NewRole>(),
    row(Get, "/api/admin/roles/{id}", Admin, "Show a role", || get(admin::roles::show)),
    row(Put, "/api/admin/roles/{id}", Admin, "Change what a role permits; tokens that say more end", || {
        put(admin::roles::update)
    })
    .json::<admin::roles::RoleChange>(),
    row(Delete, "/api/admin/roles/{id}", Admin, "Remove a role; nobody has it any more", || {
        delete(admin::roles::remove)
    }),
    row(Get, "/api/admin/groups", Admin, "List groups", || get(admin::groups::list)).query(PAGE),
    row(Post, "/api/admin/groups", Admin, "Add a group", || post(admin::groups::add)).json::<admin::groups::NewGroup>(),
    row(Get, "/api/admin/groups/{id}", Admin, "Show a group", || get(admin::groups::show)),
    row(Put, "/api/admin/groups/{id}", Admin, "Change a group; tokens with roles that it loses end", || {
        put(admin::groups::update)
    })
    .json::<admin::groups::GroupChange>(),
    row(Delete, "/api/admin/groups/{id}", Admin, "Remove a group; its members lose its roles", || {
        delete(admin::groups::remove)
    }),
    row(Get, "/api/admin/groups/{id}/members", Admin, "List a group's members", || get(admin::groups::members))
        .query(PAGE),
    row(Put, "/api/admin/groups/{id}/members/{user}", Admin, "Put a user into a group", || put(admin::groups::join)),
    row(Delete, "/api/admin/groups/{id}/members/{user}", Admin, "Take a user out of a group", || {
        delete(admin::groups::leave)
    }),
    row(Get, "/api/admin/organisations", Admin, "List organisations", || get(admin::organisations::list)).query(PAGE),
    row(Post, "/api/admin/organisations", Admin, "Add an organisation", || post(admin::organisations::add))
        .json::<admin::organisations::NewOrganisation>(),
    row(Get, "/api/admin/organisations/{id}", Admin, "Show an organisation", || get(admin::organisations::show)),
    row(Put, "/api/admin/organisations/{id}", Admin, "Give an organisation another name", || {
        put(admin::organisations::update)
    })
    .json::<admin::organisations::OrganisationChange>(),
    row(Delete, "/api/admin/organisations/{id}", Admin, "Remove an organisation; nobody acts for it any more", || {
        delete(admin::organisations::remove)
    }),
    row(Get, "/api/admin/organisations/{id}/members", Admin, "List an organisation's members and their roles", || {
        get(admin::organisations::members::list)
    })
    .query(PAGE),
    row(Get, "/api/admin/organisations/{id}/members/{user}", Admin, "Show a member and their roles", || {
        get(admin::organisations::members::show)
    }),
    row(
        Put,
        "/api/admin/organisations/{id}/members/{user}",
        Admin,
        "Make a user a member, or give a member other roles",
        || put(admin::organisations::members::set),
    )
    .json::<admin::organisations::members::MemberRoles>(),
    row(
        Delete,
        "/api/admin/organisations/{id}/members/{user}",
        Admin,
        "Take a member out; tokens that speak for it end",
        || delete(admin::organisations::members::remove),
    ),
    row(Get, "/api/admin/organisations/{id}/invitations", Admin, "List the invitations that wait", || {
        get(admin::organisations::invitations::list)
    }),
    row(Post, "/api/admin/organisations/{id}/invitations", Admin, "Invite somebody by mail", || {
        post(admin::organisations::invitations::invite)
    })
    .json::<admin::organisations::invitations::NewInvitation>(),
    row(Delete, "/api/admin/organisations/{id}/invitations/{invitation}", Admin, "Take an invitation back", || {
        delete(admin::organisations::invitations::take_back)
    }),
    row(Get, "/api/admin/sessions", Admin, "List a user's sessions, ended ones with their reason", || {
        get(admin::sessions::list)
    })
    .query(&["user", "after", "limit"]),
    row(Delete, "/api/admin/sessions/{sid}", Admin, "End a session", || delete(admin::sessions::revoke)),
    row(Get, "/api/admin/clients", Admin, "List clients", || get(admin::clients::list)).query(PAGE),
    row(Post, "/api/admin/clients", Admin, "Add a client; its secret is shown once", || post(admin::clients::add))
        .json::<admin::clients::NewClient>(),
    row(Put, "/api/admin/clients/{id}", Admin, "Change a client; tokens that say more end", || {
        put(admin::clients::update)
    })
    .json::<admin::clients::ClientChange>(),
    row(Get, "/api/admin/clients/{id}/brand", Admin, "How a client looks on the pages", || {
        get(admin::clients::brand::show)
    }),
    row(Put, "/api/admin/clients/{id}/brand", Admin, "Its logo, its colour, its links", || {
        put(admin::clients::brand::update)
    })
    .json::<admin::clients::brand::BrandChange>(),
    row(Post, "/api/admin/clients/{id}/disable", Admin, "Disable a client; ends everything of it", || {
        post(admin::clients::disable)
    }),
    row(Post, "/api/admin/clients/{id}/enable", Admin, "Enable a client", || post(admin::clients::enable)),
    row(Delete, "/api/admin/clients/{id}", Admin, "Remove a client; ends everything of it", || {
        delete(admin::clients::remove)
    }),
    row(Post, "/api/admin/clients/{id}/secret", Admin, "Make a new secret; shown once", || {
        post(admin::clients::rotate_secret)
    })
    .json::<admin::clients::NewSecret>(),
    row(Post, "/api/admin/registration-tokens", Admin, "Let programs register themselves as clients", || {
        post(admin::registration::allow)
    })
    .json::<admin::registration::NewToken>(),
    row(Get, "/api/admin/audiences", Admin, "List audiences", || get(admin::audiences::list)).query(PAGE),
    row(Post, "/api/admin/audiences", Admin, "Add an audience", || post(admin::audiences::add))
        .json::<admin::audiences::NewAudience>(),
    row(Get, "/api/admin/audiences/{id}", Admin, "Show an audience", || get(admin::audiences::show)),
    row(Put, "/api/admin/audiences/{id}", Admin, "Change an audience; tokens that say more end", || {
        put(admin::audiences::update)
    })
    .json::<admin::audiences::AudienceChange>(),
    row(Delete, "/api/admin/audiences/{id}", Admin, "Remove an audience that no client may ask for", || {
        delete(admin::audiences::remove)
    }),
    row(
        Put,
        "/api/admin/audiences/{id}/disabled-scopes",
        Admin,
        "Set which scopes its tokens carry for nobody",
        || put(admin::audiences::disable_scopes),
    )
    .json::<admin::audiences::DisabledScopes>(),
    row(Get, "/api/admin/upstreams", Admin, "List the other providers that people sign in with", || {
        get(admin::upstreams::list)
    }),
    row(Post, "/api/admin/upstreams", Admin, "Add one; it is asked who it is", || post(admin::upstreams::add))
        .json::<admin::upstreams::NewUpstream>(),
    row(Delete, "/api/admin/upstreams/{id}", Admin, "Remove one; nobody is signed out", || {
        delete(admin::upstreams::remove)
    }),
    row(Post, "/api/admin/revocations", Admin, "End tokens, sessions, users, clients, a tenant, a key", || {
        post(admin::revocations::revoke)
    })
    .json::<admin::revocations::Revocations>()
    .answers::<admin::revocations::Revoked>(),
    row(Get, "/api/admin/floor", Admin, "Where the floor of the revocation log stands, and where it goes", || {
        get(admin::floor::show)
    })
    .answers::<admin::floor::Floor>(),
    row(Post, "/api/admin/floor", Admin, "End everybody's access tokens, in steps; sessions live on", || {
        post(admin::floor::raise)
    })
    .json::<admin::floor::Raise>()
    .answers::<admin::floor::Floor>(),
    row(Get, "/api/admin/keys", Admin, "List signing keys and their states", || get(admin::keys::list)),
    row(Post, "/api/admin/keys/rotate", Admin, "Stage the next signing key", || post(admin::keys::rotate))
        .json::<admin::keys::Rotate>(),
    row(Post, "/api/admin/keys/move", Local, "Give the key-encryption key to another guard besides", || {
        post(admin::keys::guard_with)
    })
    .json::<admin::keys::Move>(),
    row(Post, "/api/admin/keys/move/finish", Local, "Forget every guard but the configured one", || {
        post(admin::keys::keep_one_guard)
    })
    .json::<admin::keys::Finish>(),
    row(Get, "/api/admin/audit", Admin, "List security events", || get(admin::audit::list))
        .query(&["user", "after", "limit"]),
    row(Get, "/api/admin/status", Admin, "What doctor needs to know", || get(admin::status::status)),
];

/// What answers all rows.
pub fn front(app: &App) -> Front {
    let ready = ROUTES.iter().filter_map(|route| match route.handler {
        Handler::Ready(answer) => Some(Ready { path: route.path, answer }),
        Handler::Router(_) => None,
    });
    Front::new(app, router::of(app), ready)
}

/// Answers a request as if it had come over the Unix socket: for the command line while no server runs.
pub async fn local(app: &App, request: Request) -> Response {
    front(app).answer(request, Peer::Local, None).await
}
