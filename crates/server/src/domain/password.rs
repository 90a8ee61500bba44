//! What a password must be. Length and a blocklist, no composition rules, no expiry (NIST SP 800-63B).
//!
//! A password is put into NFKC once, when it comes in, and lives on in that form only: the same key presses give the same
//! password on every keyboard. It is never cut. Length is counted in characters (Unicode code points) after that.

mod common;
mod strength;

use unicode_normalization::UnicodeNormalization;

pub use strength::Context;

use crate::secret::PlainSecret;

/// The fewest characters of a password that is the only factor. Configuration may ask for more.
pub const MIN_CHARS: usize = 15;
/// The most bytes of a password, as it comes in and in NFKC: hashing must cost the same for everybody.
pub const MAX_BYTES: usize = 1024;

/// A typed password in NFKC, not longer than [`MAX_BYTES`]. What it is worth is not known: it may be a guess.
#[derive(Debug, Clone)]
pub struct Password(PlainSecret);

impl Password {
    /// # Errors
    /// [`Weakness::TooLong`].
    pub fn new(typed: &PlainSecret) -> Result<Self, Weakness> {
        const TOO_LONG: Weakness = Weakness::TooLong { max: MAX_BYTES };
        if typed.expose().len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        // One allocation that never grows: growing would leave copies of the password behind.
        let mut normal = PlainSecret::new(String::with_capacity(MAX_BYTES));
        for c in typed.expose().nfkc() {
            if normal.expose().len() + c.len_utf8() > MAX_BYTES {
                return Err(TOO_LONG);
            }
            normal.push(c);
        }
        Ok(Self(normal))
    }

    /// The password itself. Every call is a place to review.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A password that may be set: long enough and not easily guessed.
#[derive(Debug, Clone)]
pub struct NewPassword(Password);

impl NewPassword {
    /// Checks a password that somebody wants to set, at least `min_chars` long.
    ///
    /// # Errors
    /// The first [`Weakness`] found; its text tells the person what to do.
    pub fn check(typed: &PlainSecret, min_chars: usize, context: &Context) -> Result<Self, Weakness> {
        let password = Password::new(typed)?;
        let got = password.expose().chars().count();
        if got < min_chars {
            return Err(Weakness::TooShort { min: min_chars, got });
        }
        match strength::weakness(password.expose(), min_chars, context) {
            Some(weakness) => Err(weakness),
            None => Ok(Self(password)),
        }
    }

    pub fn into_password(self) -> Password {
        self.0
    }
}

/// Why a password is refused. The text is for the person who chose it; it never repeats the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("The password needs at least {min} characters; it has {got}. Several unrelated words make a good one.")]
    TooShort { min: usize, got: usize },
    #[error("The password is longer than {max} bytes.")]
    TooLong { max: usize },
    #[error("The password repeats the same few characters; only {unit} of them count.")]
    Repeated { unit: usize },
    #[error("The password is one of the most common passwords, or made of them, and would be guessed among the first.")]
    Common,
    #[error("The password is made of your e-mail address or the name of this service.")]
    Context,
    #[error("The password is made of rows of letters or digits, such as abcdef, 123456 or qwerty.")]
    Sequence,
}

impl Weakness {
    /// The stable name of this reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong { .. } => "password_too_long",
            Self::Repeated { .. } => "password_repeated",
            Self::Common => "password_common",
            Self::Context => "password_context",
            Self::Sequence => "password_sequence",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> PlainSecret {
        PlainSecret::new(text.to_owned())
    }

    fn check(text: &str) -> Result<(), Weakness> {
        let context = Context::new(Some("ada.lovelace@example.com"), "https://id.analytical.example");
        NewPassword::check(&plain(text), MIN_CHARS, &context).map(|_| ())
    }

    // LOG-02
    #[test]
    fn length_is_counted_in_characters_after_nfkc() {
        assert_eq!(check("k8#vQ!2zLw9$Tr"), Err(Weakness::TooShort { min: 15, got: 14 }));
        assert_eq!(check("k8#vQ!2zLw9$Trx"), Ok(()));
        // Fifteen characters of four bytes, and fourteen typed that NFKC makes fifteen.
        assert_eq!(check("🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆"), Ok(()));
        assert_eq!(check("k8#vQ!2zLw9$Tﬀ"), Ok(()));
    }

    // LOG-02: capped, on login too, and never cut.
    #[test]
    fn more_than_1024_bytes_are_refused_before_and_after_nfkc() {
        let long: String = ('!'..='~').cycle().take(1024).collect();
        assert_eq!(Password::new(&plain(&long)).unwrap().expose(), long);
        assert_eq!(Password::new(&plain(&(long + "!"))).unwrap_err(), Weakness::TooLong { max: 1024 });
        // One character of three bytes that NFKC makes 33.
        assert_eq!(Password::new(&plain(&"\u{fdfa}".repeat(40))).unwrap_err(), Weakness::TooLong { max: 1024 });
    }

    // LOG-02: one password, however a keyboard composes it.
    #[test]
    fn composed_and_decomposed_input_is_one_password() {
        let composed = Password::new(&plain("caf\u{e9} Ω ½")).unwrap();
        let decomposed = Password::new(&plain("cafe\u{301} \u{2126} ½")).unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    // LOG-03
    #[test]
    fn common_repeated_and_personal_passwords_are_refused_with_the_reason() {
        for (password, reason) in [
            ("passwordpassword", Weakness::Repeated { unit: 8 }),
            ("aaaaaaaaaaaaaaaaaaaa", Weakness::Repeated { unit: 1 }),
            ("k#9k#9k#9k#9k#9k#9", Weakness::Repeated { unit: 3 }),
            ("Password2024!!!!", Weakness::Common),
            ("1q2w3e4r5t6y7u8i9o0p", Weakness::Common),
            ("P@ssw0rd123456789", Weakness::Common),
            ("monkeydragonshadow", Weakness::Common),
            ("ada.lovelace@example.com", Weakness::Context),
            ("AdaLovelace123456", Weakness::Context),
            ("analytical-lovelace", Weakness::Context),
            ("abcdefghijklmnopq", Weakness::Sequence),
            ("zyxwvutsrqponmlk1", Weakness::Sequence),
            ("яяяяяяяяяяяяяяюю", Weakness::Sequence),
        ] {
            assert_eq!(check(password), Err(reason), "{password}");
        }
    }

    // LOG-02: no composition rules; long phrases of plain words are welcome.
    #[test]
    fn phrases_are_accepted() {
        for password in [
            "correct horse battery staple",
            "correcthorsebatterystaple",
            "the cat sat on my red sofa",
            "eine lange nacht am see",
            "8243019 5567 0912 3374",
            "ist das wirklich so schwer",
        ] {
            assert_eq!(check(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn nothing_prints_a_password() {
        let password = Password::new(&plain("correct horse battery staple")).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }

    proptest! {
        // LOG-02: NFKC once; a second time changes nothing, and no input panics.
        #[test]
        fn normalising_is_idempotent(text in "\\PC{0,80}") {
            if let Ok(once) = Password::new(&plain(&text)) {
                let twice = Password::new(&plain(once.expose())).unwrap();
                prop_assert_eq!(once.expose(), twice.expose());
                let _ = check(&text);
            }
        }
    }
}
