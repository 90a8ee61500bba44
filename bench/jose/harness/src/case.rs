//! One thing to measure: a library, an operation, an algorithm.

use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::KeyMaterial;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Verify,
    Sign,
}

/// The loop is inside the box, so that the indirect call is paid once per batch.
type Repeat = Box<dyn FnMut(u32)>;

pub struct Case {
    pub library: String,
    pub op: Op,
    pub alg: String,
    pub(crate) repeat: Repeat,
    pub(crate) check: Box<dyn FnMut() -> Result<Option<String>, String>>,
}

impl Case {
    /// Verifies the token of the material and reads all claims; what is read is dropped inside the measured loop.
    /// The check asks that wrong tokens are refused.
    pub fn verify<T: 'static>(
        library: &str,
        alg: &str,
        key: &KeyMaterial,
        verify: impl Fn(&str) -> Option<T> + Clone + 'static,
    ) -> Self {
        let (token, wrong, again) = (key.token.clone(), key.wrong.clone(), verify.clone());
        let checked = token.clone();
        Self {
            library: library.into(),
            op: Op::Verify,
            alg: alg.into(),
            repeat: repeat(move || verify(black_box(&token))),
            check: Box::new(move || {
                if again(&checked).is_none() {
                    return Err("refuses the good token".into());
                }
                match wrong.iter().find(|(_, token)| again(token).is_some()) {
                    Some((what, _)) => Err(format!("accepts a token that is wrong: {what}")),
                    None => Ok(None),
                }
            }),
        }
    }

    /// Signs the claims of the material. The check hands the token to the bench, which verifies it.
    pub fn sign(library: &str, alg: &str, sign: impl Fn() -> String + Clone + 'static) -> Self {
        let again = sign.clone();
        Self {
            library: library.into(),
            op: Op::Sign,
            alg: alg.into(),
            repeat: repeat(sign),
            check: Box::new(move || Ok(Some(again()))),
        }
    }

    /// The primitive alone, which knows no token.
    pub fn primitive<T: 'static>(library: &str, op: Op, alg: &str, run: impl FnMut() -> T + 'static) -> Self {
        Self { library: library.into(), op, alg: alg.into(), repeat: repeat(run), check: Box::new(|| Ok(None)) }
    }
}

fn repeat<T>(mut run: impl FnMut() -> T + 'static) -> Repeat {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(run());
        }
    })
}
