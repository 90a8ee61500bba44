//! Password hashes that other programs have made: read and checked here, never written. The next right password replaces one by
//! argon2id.
//!
//! What is read is bounded as for our own hashes: one row, however it came into the database, cannot take the machine down.

use std::{fmt, num::NonZeroU32};

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time::verify_slices_are_equal,
    digest,
    iv::FixedLength,
    pbkdf2,
};
use base64_simd::{STANDARD, STANDARD_NO_PAD};

use super::phc::{BadHash, Phc, number};
use crate::domain::password::Password;

/// 2 to this many rounds of bcrypt: about a second.
const MAX_BCRYPT_COST: u32 = 14;
const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;
/// N·r·p of scrypt: about a second.
const MAX_SCRYPT_WORK: u64 = 1 << 22;
const MAX_TEXT: usize = 512;

/// A stored hash that is not ours.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Imported {
    /// `$2a$`, `$2b$`, `$2y$`; Django's `bcrypt$…` and, of a digest of the password, `bcrypt_sha256$…`.
    Bcrypt { text: String, digested: bool },
    /// RFC 8018; `$pbkdf2-sha256$…`, Django's `pbkdf2_sha256$…`.
    Pbkdf2 { algorithm: &'static Pbkdf2, iterations: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
    /// RFC 7914; `$scrypt$…`, Django's `scrypt$…`.
    Scrypt { cost: Cost, salt: Vec<u8>, hash: Vec<u8> },
    /// Firebase's: the key of the project, encrypted with what scrypt makes of the password. `$fbscrypt$v=1,n=…,r=…,p=1,ss=…,sk=…$…`
    Firebase { cost: Cost, key: Vec<u8>, salt: Vec<u8>, hash: Vec<u8> },
    /// `$argon2i$…`, and Django's `argon2$argon2i$…`.
    Argon2i(Phc),
    /// Django's `argon2$argon2id$…`: ours in another spelling.
    Argon2id(Phc),
}

/// scrypt's parameters; N is 2 to the power of `log_n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

/// A row of the table below.
#[derive(PartialEq, Eq)]
pub(super) struct Pbkdf2 {
    passlib: &'static str,
    django: &'static str,
    hmac: pbkdf2::Algorithm,
}

static PBKDF2: [Pbkdf2; 3] = [
    Pbkdf2 { passlib: "pbkdf2-sha256", django: "pbkdf2_sha256", hmac: pbkdf2::PBKDF2_HMAC_SHA256 },
    Pbkdf2 { passlib: "pbkdf2-sha512", django: "pbkdf2_sha512", hmac: pbkdf2::PBKDF2_HMAC_SHA512 },
    Pbkdf2 { passlib: "pbkdf2", django: "pbkdf2_sha1", hmac: pbkdf2::PBKDF2_HMAC_SHA1 },
];

impl Imported {
    /// Reads a hash that asks for at most `max_memory_kib`.
    ///
    /// # Errors
    /// [`BadHash`]
    pub(super) fn parse(text: &str, max_memory_kib: u32) -> Result<Self, BadHash> {
        if text.len() > MAX_TEXT {
            return Err(BadHash::Malformed);
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts[..] {
            ["", "2a" | "2b" | "2y", ..] => bcrypt(text, false),
            ["bcrypt", ..] => bcrypt(text.trim_start_matches("bcrypt$"), false),
            ["bcrypt_sha256", ..] => bcrypt(text.trim_start_matches("bcrypt_sha256$"), true),
            ["", "argon2i", ..] => Phc::parse_as("argon2i", text, max_memory_kib).map(Self::Argon2i),
            ["argon2", "argon2i", ..] => Phc::parse_as("argon2i", &text[6..], max_memory_kib).map(Self::Argon2i),
            ["argon2", "argon2id", ..] => Phc::parse(&text[6..], max_memory_kib).map(Self::Argon2id),
            ["", "scrypt", cost, salt, hash] => {
                let cost = Cost::parse(cost).ok_or(BadHash::Malformed)?.within(max_memory_kib)?;
                Ok(Self::Scrypt { cost, salt: loose(salt, 4..=64)?, hash: loose(hash, 16..=64)? })
            }
            ["scrypt", n, salt, r, p, hash] => {
                let cost = Cost::of_numbers(n, r, p).ok_or(BadHash::Malformed)?.within(max_memory_kib)?;
                Ok(Self::Scrypt { cost, salt: plain(salt)?, hash: padded(hash, 16..=64)? })
            }
            ["", "fbscrypt", ..] => firebase(text, max_memory_kib),
            ["", name, iterations, salt, hash] => {
                let algorithm = PBKDF2.iter().find(|row| row.passlib == name).ok_or(BadHash::Malformed)?;
                // As the PHC format writes it, or passlib.
                let iterations = iterations.strip_prefix("i=").unwrap_or(iterations);
                let iterations = times(iterations.split(',').next().unwrap_or_default())?;
                Ok(Self::Pbkdf2 { algorithm, iterations, salt: loose(salt, 4..=64)?, hash: loose(hash, 16..=64)? })
            }
            [name, iterations, salt, hash] => {
                let algorithm = PBKDF2.iter().find(|row| row.django == name).ok_or(BadHash::Malformed)?;
                let iterations = times(iterations)?;
                Ok(Self::Pbkdf2 { algorithm, iterations, salt: plain(salt)?, hash: padded(hash, 16..=64)? })
            }
            _ => Err(BadHash::Malformed),
        }
    }

    /// Whether the password is the one, for all kinds but those of argon2, which the hashing thread computes in its own memory.
    pub(super) fn matches(&self, password: &Password) -> bool {
        let password = password.expose().as_bytes();
        match self {
            Self::Bcrypt { text, digested: false } => bcrypt::verify(password, text).unwrap_or(false),
            Self::Bcrypt { text, digested: true } => bcrypt::verify(hex_digest(password), text).unwrap_or(false),
            Self::Pbkdf2 { algorithm, iterations, salt, hash } => {
                pbkdf2::verify(algorithm.hmac, *iterations, salt, password, hash).is_ok()
            }
            Self::Scrypt { cost, salt, hash } => {
                let mut out = vec![0; hash.len()];
                cost.scrypt(password, salt, &mut out) && verify_slices_are_equal(&out, hash).is_ok()
            }
            Self::Firebase { cost, key, salt, hash } => {
                let sealed = sealed_by(*cost, password, salt, key);
                sealed.is_some_and(|sealed| verify_slices_are_equal(&sealed, hash).is_ok())
            }
            Self::Argon2i(_) | Self::Argon2id(_) => false,
        }
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bcrypt { .. } => "Bcrypt(…)",
            Self::Pbkdf2 { .. } => "Pbkdf2(…)",
            Self::Scrypt { .. } => "Scrypt(…)",
            Self::Firebase { .. } => "Firebase(…)",
            Self::Argon2i(_) | Self::Argon2id(_) => "Argon2(…)",
        })
    }
}

impl Cost {
    /// `ln=14,r=8,p=1`
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut next = |name| number(parts.next()?.strip_prefix(name)?);
        let (log_n, r, p) = (next("ln=")?, next("r=")?, next("p=")?);
        parts.next().is_none().then_some(Self { log_n: u8::try_from(log_n).ok()?, r, p })
    }

    fn of_numbers(n: &str, r: &str, p: &str) -> Option<Self> {
        let n = number(n).filter(|n| n.is_power_of_two())?;
        Some(Self { log_n: u8::try_from(n.ilog2()).ok()?, r: number(r)?, p: number(p)? })
    }

    fn within(self, max_memory_kib: u32) -> Result<Self, BadHash> {
        let Self { log_n, r, p } = self;
        let blocks = 1_u64.checked_shl(log_n.into()).filter(|_| (1..=24).contains(&log_n)).unwrap_or(u64::MAX);
        let bytes = blocks.saturating_mul(128).saturating_mul(r.into());
        let work = blocks.saturating_mul(r.into()).saturating_mul(p.into());
        let good = r > 0 && p > 0 && bytes <= u64::from(max_memory_kib) * 1024 && work <= MAX_SCRYPT_WORK;
        if good { Ok(self) } else { Err(BadHash::Parameters) }
    }

    fn scrypt(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        let params = scrypt::Params::new(self.log_n, self.r, self.p);
        params.is_ok_and(|params| scrypt::scrypt(password, salt, &params, out).is_ok())
    }
}

fn bcrypt(text: &str, digested: bool) -> Result<Imported, BadHash> {
    let digits = text.get(4..6).filter(|_| text.len() == 60 && text.is_ascii()).ok_or(BadHash::Malformed)?;
    let cost: u32 = digits.parse().map_err(|_| BadHash::Malformed)?;
    if !(4..=MAX_BCRYPT_COST).contains(&cost) {
        return Err(BadHash::Parameters);
    }
    if !["$2a$", "$2b$", "$2y$"].contains(&&text[..4]) {
        return Err(BadHash::Malformed);
    }
    // Whether the rest is base64 is seen when it is used: a made-up password is as wrong as any.
    Ok(Imported::Bcrypt { text: text.to_owned(), digested })
}

/// `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=…$salt$hash`: memory cost, rounds, salt separator and signer key of the project, as its
/// console shows them.
fn firebase(text: &str, max_memory_kib: u32) -> Result<Imported, BadHash> {
    let mut parts = text.split('$').skip(2);
    let mut next = || parts.next().ok_or(BadHash::Malformed);
    let (params, salt, hash) = (next()?, next()?, next()?);
    let mut params = params.split(',');
    let mut named = |name: &str| params.next().and_then(|part| part.strip_prefix(name)).ok_or(BadHash::Malformed);
    if named("v=")? != "1" || parts.next().is_some() {
        return Err(BadHash::Malformed);
    }
    let figure = |text: &str| number(text).ok_or(BadHash::Malformed);
    let log_n = u8::try_from(figure(named("n=")?)?).map_err(|_| BadHash::Parameters)?;
    let cost = Cost { log_n, r: figure(named("r=")?)?, p: figure(named("p=")?)? }.within(max_memory_kib)?;
    let separator = padded(named("ss=")?, 0..=64)?;
    let key = padded(named("sk=")?, 16..=256)?;
    let salt = [padded(salt, 4..=64)?, separator].concat();
    Ok(Imported::Firebase { cost, salt, hash: padded(hash, key.len()..=key.len())?, key })
}

/// The project's key, encrypted (AES-256-CTR from zero) with the first half of what scrypt makes of the password.
fn sealed_by(cost: Cost, password: &[u8], salt: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut derived = [0; 64];
    if !cost.scrypt(password, salt, &mut derived) {
        return None;
    }
    let cipher = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, &derived[..32]).ok()?).ok()?;
    let mut sealed = key.to_vec();
    cipher.less_safe_encrypt(&mut sealed, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    Some(sealed)
}

/// Django hashes a digest, in hexadecimal, so that bcrypt cuts no long password.
fn hex_digest(password: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, password);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn times(text: &str) -> Result<NonZeroU32, BadHash> {
    let times = number(text).and_then(NonZeroU32::new).ok_or(BadHash::Malformed)?;
    if times.get() <= MAX_PBKDF2_ITERATIONS { Ok(times) } else { Err(BadHash::Parameters) }
}

/// Django's salts are text, not base64.
fn plain(salt: &str) -> Result<Vec<u8>, BadHash> {
    if (1..=128).contains(&salt.len()) { Ok(salt.as_bytes().to_vec()) } else { Err(BadHash::Malformed) }
}

fn padded(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, BadHash> {
    let bytes = STANDARD.decode_to_vec(text).map_err(|_| BadHash::Malformed)?;
    if lengths.contains(&bytes.len()) { Ok(bytes) } else { Err(BadHash::Malformed) }
}

/// Base64 without padding; passlib writes `.` for `+`.
fn loose(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, BadHash> {
    let bytes = STANDARD_NO_PAD.decode_to_vec(text.replace('.', "+")).map_err(|_| BadHash::Malformed)?;
    if lengths.contains(&bytes.len()) { Ok(bytes) } else { Err(BadHash::Malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::PlainSecret;

    const MAX_KIB: u32 = 128 * 1024;
    /// Made by Django 5.2, passlib 1.7, and the Python packages bcrypt and argon2-cffi, all of this password.
    const PASSWORD: &str = "correct horse battery staple ü";
    const MADE: &[&str] = &[
        "pbkdf2_sha256$1000000$3SaJNpDiYSMTn9vP5vlYp2$RSGhVuomcFd5A4WpUcjsSfWdzGCu0ts1GQENWBNpz8Y=",
        "pbkdf2_sha1$1000000$YZuXNor1ghxhnUgnQjkSsk$WSv6onADCrBjj6F/wYK+sxC4Hiw=",
        "bcrypt_sha256$$2b$12$DLJSX09bLQEKVfgIHyaPce2q.KjUOKUrUv1WHdN3xaJg5axAG7Bp6",
        "bcrypt$$2b$12$KIPpctE97xkjsTEGuxz3z.L6wNO5V4pFlJdFr5itaoZi84HPRhnAO",
        "scrypt$16384$DzRIqT6Z8Li5oNia4Iq4aU$8$5$FnYisuwcsOHj2J/i+KqhDIRp1YYA6BdzlQkBzfCr2CxI2MXmH7NRhsmDoPTHtVuvJZRRG61zU3GLkW9OqEVwOg==",
        "$pbkdf2-sha256$12000$DuEcgzBmzBnjvFdqrZXSWg$Nq..A.BC5G7lshdLUXFWOse09Br7UcH7bQlZ4hDvSw0",
        "$pbkdf2-sha512$12000$WktJKSWEkDLmPGdMaS1lrA$B/m3J8WS1JnwnGkp3q2AWjWCozfS0Th1OdvHkx55u0sZmgTx8fKQBs1SNrKaApRwJb4F.Vkbl0/D2/iLHN2BpA",
        "$pbkdf2$12000$o7RWCkGo1VpLidGaMwbAeA$Pw1h5H6TiR70kuwTtaq.sv5g43A",
        "$scrypt$ln=10,r=8,p=1$GWNMqdVaay3F2FsLQcgZAw$rzOBSDuuKiuj5zFK/32ETzsrViwoJL5JoS8Uijd3G/k",
        "$2b$05$kGfHaSfejNlzErsnCII6iOycOZX.8tzLJ3rsM2G8wmCPPELUIoE/C",
        "$2a$05$nv.htIvG4BF04Vqh1G4fnO55ETRtyUPox.kYSpZn46V2Uyhg1TL32",
    ];
    /// The example of Firebase's own documentation of its hash.
    const FIREBASE: &str = "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

    fn matches(stored: &str, typed: &str) -> bool {
        let password = Password::new(&PlainSecret::new(typed.to_owned())).unwrap();
        Imported::parse(stored, MAX_KIB).unwrap().matches(&password)
    }

    #[test]
    fn hashes_of_others_are_checked() {
        for stored in MADE {
            assert!(matches(stored, PASSWORD), "{stored}");
            assert!(!matches(stored, "correct horse battery staple u"), "{stored}");
        }
        assert!(matches(FIREBASE, "user1password") && !matches(FIREBASE, "user2password"));
        // The PHC format's way to write PBKDF2, with the values of passlib's.
        let phc = MADE[5].replace("$12000$", "$i=12000,l=32$").replace('.', "+");
        assert!(matches(&phc, PASSWORD));
        assert!(matches(&MADE[9].replace("$2b$", "$2y$"), PASSWORD));
    }

    // LOG-01: one row cannot take the machine down.
    #[test]
    fn hostile_parameters_are_refused() {
        for (stored, from, to) in [
            (MADE[0], "$1000000$", "$2000001$"),
            (MADE[0], "$1000000$", "$4294967295$"),
            (MADE[4], "$16384$", "$16777216$"),
            (MADE[4], "$8$5$", "$8$65536$"),
            (MADE[8], "ln=10", "ln=40"),
            (MADE[8], "ln=10", "ln=21"),
            (MADE[8], "r=8", "r=4294967295"),
            (MADE[9], "$05$", "$15$"),
            (MADE[9], "$05$", "$31$"),
            (FIREBASE, "n=14", "n=30"),
            (FIREBASE, "n=14", "n=300"),
        ] {
            assert!(stored.contains(from));
            assert_eq!(Imported::parse(&stored.replace(from, to), MAX_KIB).unwrap_err(), BadHash::Parameters, "{to}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "$",
            "plaintext",
            "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
            "$1$salt$hash",
            "$2x$05$nv.htIvG4BF04Vqh1G4fnO55ETRtyUPox.kYSpZn46V2Uyhg1TL32",
            "bcrypt$$2x$05$nv.htIvG4BF04Vqh1G4fnO55ETRtyUPox.kYSpZn46V2Uyhg1TL32",
            "pbkdf2_md5$1000$salt$RSGhVuomcFd5A4WpUcjsSfWdzGCu0ts1GQENWBNpz8Y=",
            "pbkdf2_sha256$0$salt$RSGhVuomcFd5A4WpUcjsSfWdzGCu0ts1GQENWBNpz8Y=",
            "pbkdf2_sha256$1000$$RSGhVuomcFd5A4WpUcjsSfWdzGCu0ts1GQENWBNpz8Y=",
            "pbkdf2_sha256$1000$salt$AAAA",
            "scrypt$16383$salt$8$1$RSGhVuomcFd5A4WpUcjsSfWdzGCu0ts1GQENWBNpz8Y=",
            "$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=Bw==$Bw==$Bw==",
        ] {
            assert_eq!(Imported::parse(text, MAX_KIB).unwrap_err(), BadHash::Malformed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,90}", prefix in "(\\$2b\\$|bcrypt\\$|pbkdf2_sha256\\$|\\$scrypt\\$ln=|\\$fbscrypt\\$v=1,|argon2\\$)") {
            let _ = Imported::parse(&text, MAX_KIB);
            let _ = Imported::parse(&format!("{prefix}{text}"), MAX_KIB);
        }
    }
}
