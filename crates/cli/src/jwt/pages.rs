//! `countersign explain CODE`: the page of each code. Those of the library are here, those of the server in its own table.

use countersign_server::errors;
use serde_json::json;

use crate::output::{Failure, Output, say};

/// A code of the library: its name, what it means, what to do.
type Page = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const PAGES: &[Page] = &[
    // The text.
    ("too_long", "The text is longer than the limit.", "Tokens have at most 16 KiB, so that they fit a request header. Carry less in it; what is no token is verified with --raw."),
    ("bad_character", "A character that no compact token has.", "White space, quotes, = or a word before the token (Bearer) was copied with it. A message in a JSON serialization is verified with --raw."),
    ("wrong_parts", "A signed token has three parts with dots between them.", "Five parts are an encrypted message: countersign jwt decrypt. Anything else is cut off or is no token."),
    ("bad_base64", "A part is not canonical base64url.", "There is one text for each token: no padding, only A-Z a-z 0-9 - _, no bits left over. The token was altered on its way, or its issuer encodes wrongly."),
    ("bad_utf8", "A part is not UTF-8.", "JSON is UTF-8. The issuer must write it so; a key or payload that is no text belongs to --raw."),
    ("bad_json", "A part is not the JSON object that it must be.", "Look at it with countersign jwt decode. Comments, trailing commas, NaN and single quotes are not JSON."),
    ("duplicate_member", "A member name occurs twice in one JSON object.", "Two programs might each read another one of them. The issuer must write each name once."),
    ("too_deep", "The JSON is nested too deep.", "At most 32 levels are read. Carry a flatter structure."),
    ("bad_number", "A JSON number cannot be kept without changing its value.", "Integers up to 2^53 are exact everywhere; write larger ones as text."),
    // The header.
    ("header_missing", "The header lacks a member.", "alg is always required, for encrypted messages enc as well."),
    ("header_malformed", "A header member has the wrong type or form.", "alg, kid, typ and cty are texts, crit is a list of names that are in the header. The issuer must write it so."),
    ("algorithm_unknown", "No algorithm has this name.", "none, RSA1_5 and misspelt names are refused and cannot be allowed. Sign with ES256 or Ed25519, for instance."),
    ("algorithm_mismatch", "The key is for another algorithm than the header names.", "The key decides, never the token. Is it the right key? For an RSA key without alg, name its algorithm with --alg."),
    ("critical_unknown", "The header demands an extension that is not understood.", "What crit names must be understood or the token be refused (RFC 7515, section 4.1.11). The issuer must leave it out."),
    ("payload_unencoded", "The payload is not encoded (RFC 7797).", "A token may not do that. A message may, where its reader allows it: --raw --allow-unencoded."),
    ("serialization_member", "A member of the JSON serialization is missing, malformed or must not be there.", "Flattened has payload, protected and signature; general has payload and signatures. Nothing may be of both."),
    ("header_unprotected", "A member stands where no signature covers it.", "alg, crit and b64 must be in the protected header; a compact message has no other."),
    ("signature_count", "Too few or too many signatures.", "Compact and flattened have exactly one, general has 1 to 16."),
    ("payload_detached", "The payload is not in the text.", "Give it with --payload FILE."),
    ("payload_present", "A payload was given and the text has one, too.", "Leave --payload away, or take the payload out of the text."),
    ("payload_text", "This serialization cannot carry the payload unencoded.", "Sign it encoded, or detached. Between dots only printable ASCII without dots is possible."),
    ("b64_mixed", "Some signatures are over the encoded payload and some are not.", "All must agree (RFC 7797, section 3)."),
    // Kind, key, signature.
    ("wrong_type", "The token is of another kind than was asked for.", "An ID token must not pass for an access token. If another kind is what you want, ask for it: --typ access for at+jwt, --typ id, --typ jwt …"),
    ("unknown_key", "No key has the key id of the header.", "Fetch the issuer's key set again: it may have rotated. Without a key id in the header, exactly one key must have its algorithm."),
    ("bad_signature", "The signature does not hold.", "The token was altered, or signed with another key. Compare the key: countersign jwk thumbprint. For a secret, compare the bytes: a line end or base64 makes another secret."),
    // Claims.
    ("claim_missing", "A required claim is absent.", "The kind of token and the checks that you asked for decide what is required. The issuer must write it, or ask for another kind (--typ)."),
    ("claim_malformed", "A claim is not what it must be.", "Times are numbers and not texts, iss and sub are texts, aud is a text or a list of texts. Malformed is never treated as absent."),
    ("claim_forbidden", "A claim that this kind of token must not carry.", "It would let one kind pass for another. Take it out, or sign another kind."),
    ("claim_reserved", "A custom claim has the name of a registered one.", "The token would carry it twice. Choose another name, best with a domain of yours in it."),
    ("wrong_issuer", "Somebody else issued the token.", "Issuers are compared exactly: scheme, host, port and a slash at the end. Configure the verifier with exactly the text in iss."),
    ("wrong_audience", "The token is meant for somebody else.", "Ask the issuer for a token for this audience. Do not accept tokens for others: who receives them could use them here."),
    ("expired", "The token has expired.", "Refresh it. If it was issued just now, one of the clocks is wrong; --leeway forgives at most 60s."),
    ("not_yet_valid", "The token is not valid yet.", "Wait until nbf. If that surprises, compare the clocks; --leeway forgives at most 60s."),
    ("issued_in_future", "The token says that it was issued in the future.", "The issuer's clock is ahead of this one's. Set both by NTP; --leeway forgives at most 60s."),
    ("too_old", "The token was issued longer ago than is accepted.", "Get a new one, or accept older ones with --max-age."),
    ("lifetime_too_long", "The token lives longer than is accepted, or ends before it begins.", "Issue it for a shorter time, or accept more with --max-lifetime."),
    // Signing and encryption.
    ("signature_length", "A signature that was made elsewhere has the wrong length.", "ECDSA signatures are R and S side by side (64 bytes for ES256), not DER."),
    ("sign_failed", "The primitive refused to sign.", "The key is damaged, or the message is not the one that the signature was prepared for."),
    ("not_encrypted", "An encrypted message has five parts with dots between them.", "Three parts are a signed token: countersign jwt verify."),
    ("bad_recipients", "Too many recipients, or of a kind that must be alone.", "At most 16; dir and ECDH-ES without a wrap are for one recipient, and so are two passwords."),
    ("key_algorithm_mismatch", "The key is for another algorithm than the message names.", "The key decides, never the message. Is it the right key?"),
    ("content_algorithm", "The content is encrypted in a way that is not accepted.", "Accept it with --enc, or have it encrypted otherwise."),
    ("compressed", "Compressed content is refused.", "A few bytes could become gigabytes, and lengths tell secrets. The sender must leave zip away."),
    ("password_rounds", "A password is hashed too rarely or too often.", "p2c must be from 1,000 to 1,200,000: fewer protect nothing, more let a stranger keep the recipient busy."),
    ("part_length", "A part of an encrypted message has another length than its algorithm gives it.", "The message was cut or altered, or its sender shortens tags, which lets them be guessed."),
    ("decrypt_failed", "The content does not decrypt.", "The key is another one, or the message was altered. Which of the two, a decryption must not tell."),
    ("encrypt_failed", "The primitive refused to encrypt.", "The content is too long for the algorithm, or the key is damaged."),
    ("bad_content", "Decrypted content is not what was asked for.", "Look at it with --raw."),
    ("wrong_content_type", "The content is of another type than was asked for.", "Without --raw, decrypt wants a signed token inside (cty: JWT), made by countersign jwt encrypt --signed. Content that nobody signed is decrypted with --raw."),
    // Keys.
    ("key_member", "A member of the key is missing or malformed.", "Every number is canonical base64url of the length that its curve fixes; RSA private keys need all of d, p, q, dp, dq and qi; a shared secret that signs needs a kid."),
    ("key_unsupported", "A key type, curve or algorithm that is not supported.", "See countersign jwk generate --help for what there is. Ed448, P-192 and RSA with several primes are not among them."),
    ("key_wrong_algorithm", "The key does not fit the algorithm.", "It has another type or curve, or names another algorithm itself."),
    ("key_algorithm_missing", "Several algorithms fit the key and it names none.", "Name one with --alg: an RSA key signs with one of RS256 … PS512."),
    ("key_not_for_signatures", "The key is not for signatures.", "Its use or key_ops says so, or its curve (X25519). Use a key of its own for each purpose."),
    ("key_private", "A public key with private members.", "Whoever published it has lost it. Rotate it, and publish what countersign jwk convert --public makes of the next one."),
    ("key_rsa_size", "An RSA key of a size that is refused.", "2048 to 8192 bits are accepted."),
    ("key_rsa_exponent", "An RSA exponent other than 65537.", "Make a new key; smaller exponents have a history of forgeries."),
    ("key_rsa_weak", "An RSA modulus that cannot be sound.", "It is even, or of the broken generator of CVE-2017-15361. Make a new key."),
    ("key_point", "The public key is not a point of its curve.", "The key is damaged, or made by an attacker. Get it again from its owner."),
    ("key_secret_short", "The HMAC secret is shorter than the hash.", "HS256 takes at least 32 bytes, HS384 48, HS512 64, drawn at random: countersign jwk generate --alg HS256."),
    ("key_secret_is_key", "The HMAC secret is itself the text of a key.", "A public key that is used as a secret is the best known attack on tokens. Name the key's own algorithm."),
    ("key_malformed", "The private key is malformed or its parts disagree.", "Export it again from where it came."),
    ("key_public_only", "A public key where a private one is needed.", "Only the private half signs and decrypts."),
    ("key_form", "Neither a JWK, a JWK set, PEM nor DER.", "A shared secret as it is goes through --secret-file."),
    ("key_der", "Malformed DER.", "The file was cut or is another structure. openssl pkey -in FILE shows what openssl makes of it."),
    ("key_pem", "Malformed PEM.", "The frame is not closed, its labels differ, or its content is not base64."),
    ("key_encrypted", "The private key is encrypted.", "Decrypt it first: openssl pkcs8 -in FILE."),
    ("key_no_such_form", "This kind of key has no such form.", "A secret has no PEM and no public half; PKCS#1 is for RSA, SEC 1 for curves."),
    ("key_generate", "A key could not be drawn.", "The random source of the operating system failed. Do not go on."),
    ("key_id", "An unusable key id.", "1 to 256 bytes without control characters."),
    ("key_does_not_fit", "The key does not fit the algorithm of encryption.", "It has another type, curve or use, or names another algorithm itself."),
    ("key_not_for_encryption", "The key is not for encryption.", "Its use or key_ops says so. Use a key of its own for each purpose."),
    ("key_secret_length", "A shared secret of another length than the algorithm takes.", "A128KW takes 16 bytes, A192KW 24, A256KW 32; dir as many as the content algorithm."),
    ("key_password_length", "A password that is too short or too long.", "16 to 1024 bytes (RFC 7518, section 8.8)."),
    ("key_duplicate", "Two keys of the set share a key id and an algorithm.", "Nobody could say which of the two is meant. Give one of them another kid."),
];

/// What to do about an error of the library.
pub fn help(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, ..)| *name == code).map(|(_, _, help)| *help)
}

/// Prints the page of a code.
///
/// # Errors
/// There is no such code.
pub fn show(code: &str, output: Output) -> Result<(), Failure> {
    let library = PAGES.iter().find(|(name, ..)| *name == code).map(|(_, title, help)| (*title, *help, None));
    let server = errors::CODES.iter().find(|row| row.name == code).map(|row| (row.title, row.help, Some(row.status)));
    let Some((title, help, status)) = library.or(server) else {
        let names = PAGES.iter().map(|(name, ..)| *name).chain(errors::CODES.iter().map(|row| row.name));
        let near: Vec<_> = names.filter(|name| alike(name, code)).collect();
        let hint = if near.is_empty() { String::new() } else { format!("; perhaps {}", near.join(", ")) };
        return Err(Failure::usage(format!("there is no code {code:?}{hint}")));
    };
    let answer = json!({ "code": code, "status": status, "title": title, "help": help });
    output.show(&answer, |_| {
        match status {
            Some(status) => say!("{code} (status {status})"),
            None => say!("{code}"),
        }
        say!("{}\n\n{help}", title.trim_end_matches('.').to_owned() + ".");
    });
    Ok(())
}

fn alike(name: &str, code: &str) -> bool {
    let words = |text: &str| text.split(['-', '_']).map(str::to_lowercase).collect::<Vec<_>>();
    let asked = words(code);
    words(name).iter().any(|word| word.len() > 3 && asked.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that a source file of the library gives to its errors.
    fn codes(source: &str) -> Vec<&str> {
        source.lines().filter_map(|line| line.trim().split_once("=> \"")?.1.strip_suffix("\",")).collect()
    }

    #[test]
    fn every_code_of_the_library_has_one_page() {
        let sources = [include_str!("../../../jose/src/error.rs"), include_str!("../../../jose/src/error/key.rs")];
        let mut expected: Vec<_> = sources.iter().flat_map(|source| codes(source)).collect();
        let mut pages: Vec<_> = PAGES.iter().map(|(name, ..)| *name).collect();
        expected.sort_unstable();
        pages.sort_unstable();
        assert!(expected.len() > 70);
        assert_eq!(pages, expected);
    }

    #[test]
    fn no_code_means_two_things() {
        for row in errors::CODES {
            assert!(help(row.name).is_none(), "{}", row.name);
        }
    }
}
