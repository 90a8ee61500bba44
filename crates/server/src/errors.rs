//! Every error code that a client can see: one row each, with the page that `/docs/errors` serves for it.

/// A stable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable name, also the anchor of its page.
    pub name: &'static str,
    pub status: u16,
    pub title: &'static str,
    /// What happened and what to do, for the page.
    pub help: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $status:literal, $title:literal, $help:literal;)*) => {
        $(pub const $constant: Code = Code { name: $name, status: $status, title: $title, help: $help };)*
        /// All codes, in the order of the page.
        pub const CODES: &[Code] = &[$($constant),*];
    };
}

codes! {
    // What is wrong with the request itself.
    MALFORMED_JSON = "malformed-json", 400, "The body is not the JSON that this endpoint takes",
        "The detail names the line, the column and what was expected. Send UTF-8 JSON with exactly the documented members; unknown members are refused so that a misspelt one is noticed.";
    MALFORMED_FORM = "malformed-form", 400, "The body is not a well-formed form",
        "Send application/x-www-form-urlencoded in UTF-8, at most 100 parameters.";
    DUPLICATE_PARAMETER = "duplicate-parameter", 400, "A parameter occurs twice",
        "OAuth forbids repeated parameters, because two programs might each read another one of them. Send each parameter once.";
    MISSING_PARAMETER = "missing-parameter", 400, "A required parameter is missing",
        "The detail names it. An empty value counts as missing.";
    WRONG_CONTENT_TYPE = "wrong-content-type", 415, "This endpoint takes another content type",
        "Send Content-Type: application/json, or application/x-www-form-urlencoded at /token. Other types are refused because a foreign web page could send them without asking.";
    BODY_TOO_LARGE = "body-too-large", 413, "The body is larger than the limit",
        "Sign-in routes take at most 8 KiB, a list of revocations 2 MiB, all others 64 KiB.";
    REQUEST_TIMEOUT = "request-timeout", 408, "The request took too long to arrive",
        "The body must arrive within 10 seconds. Try again on a better connection.";
    NOT_FOUND = "not-found", 404, "There is nothing at this address",
        "See /openapi.json for every endpoint. For an API call on one object: no object has this id.";
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, "This address does not answer this method",
        "The Allow header lists the methods that it answers.";
    INVALID_VALUE = "invalid-value", 422, "A value is not acceptable",
        "The list `errors` names each member and what is wrong with it.";
    CONFLICT = "conflict", 409, "An object with this name exists already",
        "Choose another name, or change the existing one.";
    LAST_ADMIN = "last-admin", 409, "This is the last administrator",
        "Without this user nobody could administer from afar. Give the role admin to somebody else first.";
    CROSS_SITE = "cross-site", 403, "A request with cookies came from another site",
        "Requests that set or use cookies must come from a page of the issuer itself: Origin must be the issuer, or Sec-Fetch-Site must be same-origin. Applications at other origins use transport bearer or OpenID Connect.";
    DUPLICATE_COOKIE = "duplicate-cookie", 400, "The same cookie was sent twice",
        "Another host of the same domain may have set a cookie of this name. Both were cleared; sign in again.";
    COOKIE_TOO_LONG = "cookie-too-long", 400, "The access token is too long for a cookie",
        "Browsers drop a cookie of more than 4096 bytes without a word. Tokens that are signed with ML-DSA-65 or ML-DSA-87 are always longer, others with many roles or long claims: use transport bearer, sign the audience's tokens with another algorithm, or carry less in them.";

    // Signing in.
    INVALID_CREDENTIALS = "invalid-credentials", 401, "E-mail or password is wrong",
        "The answer is the same for an unknown e-mail, a wrong password, a disabled account, and an address that must be verified first, so that nobody can ask who has an account here. If the password is right and the address is not verified, another mail with a link is on its way.";
    MFA_REQUIRED = "mfa-required", 401, "A second factor is needed",
        "The password was right, and nothing was granted yet. Ask the person for a code of their authenticator app or a recovery code, and send it with the member `ticket` of this answer to POST /login/mfa within ten minutes.";
    SECOND_FACTOR_WRONG = "second-factor-wrong", 401, "The code is wrong",
        "Six digits of the authenticator app, as it shows them now, or one of the recovery codes. A code works once: wait for the next one, 30 seconds at most. If none is ever right, the telephone's clock is wrong; set it to automatic.";
    MAIL_CODE_WRONG = "mail-code-wrong", 401, "The code is wrong or over",
        "Eight letters, as the newest mail has them. They are good once, for ten minutes and five tries, in the browser that asked for them. Ask for another mail if none comes right.";
    MFA_TICKET_INVALID = "mfa-ticket-invalid", 400, "This sign-in cannot be finished",
        "Its ticket was used, is older than ten minutes, or the account was signed out everywhere since. Begin again with e-mail address and password.";
    SECOND_FACTOR_MISSING = "second-factor-missing", 403, "This application needs a second factor",
        "The account has none. Add a passkey or an authenticator app to the account first, then sign in again.";
    PASSKEY_REFUSED = "passkey-refused", 401, "The passkey was not accepted",
        "The answer is the same for a passkey that is not known here, was removed, is somebody else's, or whose answer is not the one that was asked for. Use another passkey, or another way to sign in; one that was removed from the account should be removed from the device, too.";
    PASSKEY_LATE = "passkey-late", 400, "That took too long",
        "A passkey must be shown within five minutes, on the page that asked for it. Ask for it again.";
    PASSKEY_KNOWN = "passkey-known", 409, "This passkey is known already",
        "It was added before, to this account or to another one. Make a new one.";
    PASSKEYS_UNAVAILABLE = "passkeys-unavailable", 404, "There are no passkeys here",
        "Browsers make passkeys for a host with a name, and this issuer's host is an address. Use http://localhost in place of http://127.0.0.1 while developing.";
    SIGN_IN_STALE = "sign-in-stale", 401, "The sign-in is too long ago for this",
        "What opens an account is changed within ten minutes of signing in, so that nobody changes it at a browser that was left open. Sign in again.";
    STEP_UP_NEEDED = "step-up-needed", 401, "A sign-in with the second factor is needed",
        "The account has a second factor, and this session began without it. Sign in again, with a passkey, the code of the authenticator app or a recovery code.";
    PASSWORD_TOO_SHORT = "password-too-short", 422, "The password is too short",
        "A password that is the only factor needs at least 15 characters. A sentence of four or five words is easy to remember; there are no other rules about its characters.";
    PASSWORD_TOO_LONG = "password-too-long", 422, "The password is too long",
        "At most 1024 bytes are accepted, so that nobody can keep the server busy with hashing.";
    PASSWORD_COMMON = "password-common", 422, "The password is too easy to guess",
        "It is on the list of common passwords, repeats one character, or is built from your e-mail address or this site's name.";
    INVALID_EMAIL = "invalid-email", 422, "This is not an e-mail address",
        "One @, at most 254 bytes, no spaces or control characters.";
    REGISTRATION_CLOSED = "registration-closed", 403, "This issuer does not take registrations",
        "An administrator adds users: countersign user add. To let anybody register set registration = \"open\".";
    TOO_MANY_ATTEMPTS = "too-many-attempts", 429, "Too many attempts",
        "Retry-After says when the next attempt is looked at. Delays grow with failures of one account and end with the next successful sign-in.";
    OVERLOADED = "overloaded", 503, "The server is busy",
        "Retry-After says when to try again. Nothing was changed. Signing in is limited first, so that refreshing and verifying go on.";
    UNAVAILABLE = "unavailable", 503, "The server cannot reach its database",
        "Nothing was changed, or it is not known whether it was; trying again is safe. Tokens that were issued stay verifiable meanwhile. Operators: countersign doctor.";
    KEY_STORE = "key-store-unavailable", 503, "The server cannot reach its key store",
        "Tokens are signed in a key store that does not answer, so there are no new ones for the moment, and no other key signs in its place. Nobody is signed out: try again with the same refresh token. Tokens that were issued stay verifiable meanwhile. Operators: countersign doctor, docs/keys.md.";

    AUTHORIZE_INVALID = "authorize-invalid", 400, "The application's request cannot be answered",
        "It does not name a client of this issuer and an address that this client has registered, so nobody is sent anywhere. Go back to the application; its developer finds the registered addresses with countersign client list.";
    PUSH_REFUSED = "push-refused", 400, "The pushed authorization request is not acceptable",
        "It is what /authorize would refuse, told to the client itself (RFC 9126). The description says what is wrong; error has the name that RFC 6749 gives it.";
    MAIL_LINK_INVALID = "mail-link-invalid", 400, "This link cannot be used",
        "It was used already, is older than an hour, or was cut off by the mail program; or the account has had another password or address since, or somebody else's account has the address that it is about. Ask for a new mail.";
    FORM_EXPIRED = "form-expired", 400, "This page cannot be used any more",
        "It was open for too long, was answered already, or was opened in another browser. Go back to the application and begin again. Cookies must be allowed for this site.";
    UPSTREAM_FAILED = "upstream-failed", 502, "Signing in with the other provider did not work",
        "The other provider did not answer, refused, or sent what proves nobody; the server's log says which. Try again, or sign in another way. Operators: is its address reachable (outbound.allow, for a network of your own), and are client id, secret and redirect URI those that it has?";
    UPSTREAM_NO_ACCOUNT = "upstream-no-account", 403, "There is no account for you here",
        "The other provider said who you are, but that opens no account here: the account is disabled, the provider named no e-mail address that it has verified, or an administrator adds users here. Sign in another way, or ask the administrator.";

    // Tokens and sessions.
    TOKEN_MISSING = "token-missing", 401, "An access token is needed",
        "Send Authorization: Bearer and the access token; a token that is bound to a key, with Authorization: DPoP and a proof in the header DPoP.";
    TOKEN_INVALID = "token-invalid", 401, "The access token is not accepted",
        "It is malformed, expired, altered, meant for another audience, bound to a key and shown without a proof, or its session has ended. Refresh it once; if that fails, sign in again.";
    SCOPE_MISSING = "scope-missing", 403, "The access token does not have the scope",
        "UserInfo needs an access token with the scope openid, which the authorization request must have asked for.";
    TOO_MANY_READERS = "too-many-readers", 429, "Too many readers of the revocation feed from this address",
        "One program needs one reader. Many verifiers behind one address: let them read from a relay (countersign relay), or raise feed.readers_per_address.";
    FORBIDDEN = "forbidden", 403, "This account may not do that",
        "Administration needs an access token for the audience admin, of a user with the role admin, or the Unix socket in the data folder.";
    REFRESH_INVALID = "refresh-invalid", 400, "The refresh token is not accepted",
        "It is malformed, was not made by this issuer, or belongs to another client or key. Its session, if there is one, was not touched.";
    REFRESH_EXPIRED = "refresh-expired", 400, "The session has reached its end",
        "Sessions end after their absolute lifetime (90 days by default), or when they are not used (30 days by default). Sign in again.";
    REFRESH_REVOKED = "refresh-revoked", 400, "The session was ended",
        "Somebody signed out, changed the password, disabled the account or the client, or an administrator ended it. The account's session list shows the reason.";
    REFRESH_REUSED = "refresh-reused", 400, "An old refresh token came back, so the session was ended",
        "This token had been replaced, and its successor was already in use: two parties hold copies, and one of them may be a thief. Sign in again. If your own program did this, it keeps the refresh token in two places that do not share it: keep one copy, and store the new one before using it.";
    CODE_INVALID = "code-invalid", 400, "The authorization code is not accepted",
        "It is malformed, older than a minute, was given to another client, or code_verifier or redirect_uri is not the one that its request had. Nothing was changed. Send the person to /authorize again.";
    CODE_REUSED = "code-reused", 400, "The authorization code was redeemed twice, so the session was ended",
        "The client and its code_verifier were right both times: two parties hold the code, and one of them may be a thief. Sign in again. If your own program did this, it sends its token request twice: redeem a code once, and do not repeat the request after a time-out.";
    DEVICE_PENDING = "device-pending", 400, "Nobody has answered yet",
        "The device has asked for its tokens before its person was at the page. Ask again after the interval that /device named.";
    DEVICE_TOO_FAST = "device-too-fast", 400, "The device asks too often",
        "Wait 5 seconds longer between two questions from here on (RFC 8628, section 3.5).";
    DEVICE_DENIED = "device-denied", 400, "The device was not let in",
        "Its person said no. Begin again if they want to.";
    DEVICE_EXPIRED = "device-expired", 400, "The codes have expired",
        "Nobody let the device in within ten minutes, or it came too late for its tokens. Begin again.";
    DEVICE_CODE_INVALID = "device-code-invalid", 400, "The device code is not accepted",
        "It is malformed, belongs to another client, is forgotten, or whoever let the device in has signed out everywhere or was disabled since. Begin again.";
    INVALID_CLIENT = "invalid-client", 401, "The client is unknown or did not prove itself",
        "Check client_id and client_secret; send them either in the Authorization header or in the body, never in both. countersign client rotate-secret makes a new secret. A client that is registered with keys sends client_assertion, signed by one of them, and no secret.";
    ASSERTION_INVALID = "assertion-invalid", 401, "The client's assertion is not accepted",
        "A client that is registered with keys proves itself by a JWT (private_key_jwt, RFC 7523): iss and sub are its client_id, aud is the issuer's URL, as one text and not an endpoint's address, exp is at most an hour ahead, jti was never used before. The description says which of these it was.";
    UNAUTHORIZED_CLIENT = "unauthorized-client", 400, "This client may not use this grant",
        "countersign client list shows each client's grants.";
    UNSUPPORTED_GRANT_TYPE = "unsupported-grant-type", 400, "The server does not know this grant type",
        "grant_types_supported of the metadata lists what /token supports.";
    EXCHANGE_REFUSED = "exchange-refused", 400, "The token cannot be exchanged",
        "subject_token and actor_token are access tokens of this issuer that stand, and that were issued to this client or are meant for an audience that it serves (countersign client update --serves). If the description says that one does not stand any more, answer 401 to whoever sent it to you: they refresh it.";
    REGISTRATION_INVALID = "registration-invalid", 400, "The client cannot be registered like this",
        "A client that registers itself (RFC 7591) may have redirect URIs, authorization_code and refresh_token, and the scopes that clients.scopes allows; the description says what is wrong, and error has the name that RFC 7591 gives it. What needs more is added by an administrator: countersign client add.";
    DPOP_PROOF = "dpop-proof", 401, "The proof of possession is not accepted",
        "A DPoP proof (RFC 9449) is for one request: made now, by a clock that is right, with the method and the URL of that request (htm, htu), beside an access token with its hash (ath), and signed by the key that the token is bound to. The description says which of these it was.";
    DPOP_NONCE = "dpop-nonce", 401, "The proof of possession needs a nonce of this server",
        "The header DPoP-Nonce of this answer has it: make the proof again with that nonce, and keep the one of each answer for the next proof. The issuer asks for nonces if dpop.nonce says so.";
    DPOP_REPLAYED = "dpop-replayed", 401, "This proof of possession was used before",
        "Each request needs a proof of its own, with a jti that was never used. If your program did not repeat the request, somebody copied it on its way.";
    DPOP_MISSING = "dpop-missing", 400, "This client must prove that it holds a key",
        "The client is registered with dpop_bound_access_tokens, or the token that it exchanges is bound to a key: the request for tokens needs a DPoP header (RFC 9449). Cookies carry no proof, so such a client cannot use them.";
    DPOP_TOO_MANY = "dpop-too-many", 429, "Too many proofs of one key",
        "A key may prove 10,000 requests in ten minutes. Use access tokens until they expire, and another key for each program.";
    INVALID_SCOPE = "invalid-scope", 400, "The scope is not allowed",
        "The client or the session does not have every scope that was asked for. Ask for less, or leave scope out to get all of them.";
    NOT_A_MEMBER = "not-a-member", 400, "The person is not a member of the organization",
        "The request, or the session, is to speak for an organization (the parameter organization) that does not exist or that the person does not belong to, or not any more. Nothing was changed. Ask for another one, or with organization=none for none.";
    INVALID_TARGET = "invalid-target", 400, "The audience is not allowed",
        "The client may not ask for tokens for this audience, or exchange tokens for it (countersign client update --exchange), or the user lacks the role that the audience requires.";

    INTERNAL = "internal", 500, "Something broke on our side",
        "The request id helps the operator to find the log line. Nothing is known to be lost.";
}

/// The row with this name.
pub fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_url_safe() {
        for (index, code) in CODES.iter().enumerate() {
            assert!(code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", code.name);
            assert!(CODES[index + 1..].iter().all(|other| other.name != code.name), "{}", code.name);
            assert!((400..600).contains(&code.status));
        }
    }
}
