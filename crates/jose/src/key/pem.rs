//! PEM (RFC 7468): a frame of text around DER.

use zeroize::Zeroizing;

use super::der::{Form, form};
use crate::KeyError;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Characters of base64 in a line (RFC 7468 §2).
const LINE: usize = 64;

/// The frames that hold keys, and what must be in them.
const LABELS: [(&str, Form); 6] = [
    ("PUBLIC KEY", Form::Spki),
    ("RSA PUBLIC KEY", Form::Pkcs1Public),
    ("PRIVATE KEY", Form::Pkcs8),
    ("RSA PRIVATE KEY", Form::Pkcs1Private),
    ("EC PRIVATE KEY", Form::Sec1),
    ("CERTIFICATE", Form::Certificate),
];

/// A frame that tools write beside a key and that says nothing that is not in the key itself.
const PARAMETERS: &str = "EC PARAMETERS";

/// The content of each frame of a text, in its order; text between frames is explanation (RFC 7468 §2). A frame that is broken is
/// the last that is read.
pub(crate) fn read(text: &str) -> Vec<Result<Zeroizing<Vec<u8>>, KeyError>> {
    let mut frames = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        rest = &rest[at + BEGIN.len()..];
        match frame(rest) {
            Some(frame) if frame.label == PARAMETERS => rest = frame.rest,
            Some(frame) => {
                rest = frame.rest;
                frames.push(content(&frame));
            }
            None => {
                frames.push(Err(KeyError::Pem));
                break;
            }
        }
    }
    frames
}

/// One frame.
pub(crate) fn write(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(base64_simd::STANDARD.encode_to_string(der));
    let mut text = Zeroizing::new(String::with_capacity(base64.len() / LINE * (LINE + 1) + 2 * label.len() + 100));
    text.push_str(BEGIN);
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(END);
    text.push_str(label);
    text.push_str("-----\n");
    text
}

struct Frame<'a> {
    label: &'a str,
    body: &'a str,
    rest: &'a str,
}

/// A frame whose first line begins with its label. The label after it must be the same.
fn frame(text: &str) -> Option<Frame<'_>> {
    let (label, body) = text.split_once(DASHES)?;
    let (body, end) = body.split_once(END)?;
    let rest = end.strip_prefix(label)?.strip_prefix(DASHES)?;
    let usable = label.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    usable.then_some(Frame { label, body, rest })
}

fn content(frame: &Frame<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // RFC 1421 §4.6: headers, which stand there only if the content is encrypted.
    if frame.label == "ENCRYPTED PRIVATE KEY" || frame.body.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    let (_, expected) = LABELS
        .iter()
        .find(|(label, _)| *label == frame.label)
        .ok_or_else(|| KeyError::Unsupported(crate::error::clip(frame.label)))?;
    let mut base64 = Zeroizing::new(Vec::with_capacity(frame.body.len()));
    base64.extend(frame.body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let der = base64_simd::STANDARD.decode_to_vec(base64.as_slice()).map(Zeroizing::new).map_err(|_| KeyError::Pem)?;
    if form(&der) == Some(*expected) { Ok(der) } else { Err(KeyError::Der) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    fn outcomes(text: &str) -> Vec<Option<KeyError>> {
        read(text).into_iter().map(Result::err).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let der = read(KEY).remove(0).unwrap();
        assert_eq!(write("PUBLIC KEY", &der).as_str(), KEY);
        for len in [0, 1, 47, 48, 49, 96, 1000] {
            let text = write("X", &vec![7; len]);
            assert!(text.lines().all(|line| line.len() <= 64));
        }
    }

    #[test]
    fn several_frames_and_text_between_them() {
        let crlf = KEY.replace('\n', "\r\n");
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        assert_eq!(outcomes(&format!("subject: me\n{KEY}\nmore\n{parameters}{crlf}")), [None, None]);
        assert_eq!(outcomes("no frame at all"), []);
    }

    #[test]
    fn frames_that_are_broken_encrypted_or_of_another_kind() {
        for (from, to, error) in [
            ("-----END PUBLIC KEY-----", "-----END PRIVATE KEY-----", KeyError::Pem),
            ("-----END PUBLIC KEY-----", "", KeyError::Pem),
            ("HURo=", "HURp=", KeyError::Pem),
            ("HURo=", "HURo", KeyError::Pem),
            ("HURo=", "HURo=AAAA", KeyError::Pem),
            ("MCow", "MC_w", KeyError::Pem),
            ("MCow", "MCswAw", KeyError::Pem),
            ("MCow", "MCsw", KeyError::Der),
            ("PUBLIC", "PRIVATE", KeyError::Der),
            ("PUBLIC", "RSA PUBLIC", KeyError::Der),
            ("PUBLIC KEY", "SECRET", KeyError::Unsupported("SECRET".into())),
            ("PUBLIC", "ENCRYPTED PRIVATE", KeyError::Encrypted),
            ("MCow", "Proc-Type: 4,ENCRYPTED\n\nMCow", KeyError::Encrypted),
            ("PUBLIC", "p\u{fc}blic", KeyError::Pem),
        ] {
            assert_eq!(outcomes(&KEY.replace(from, to)), [Some(error)], "{from} -> {to}");
        }
        assert_eq!(outcomes("-----BEGIN -----BEGIN -----"), [Some(KeyError::Pem)]);
    }
}
