//! The protected header of a compact JWS, as far as it matters: `alg`, `kid`, `typ`, `crit`.

use std::{borrow::Cow, ops::Range};

use crate::{Algorithm, Error, error::clip, json::Reader, limits::MAX_KID_BYTES};

/// A header that passed every check that needs no key.
#[derive(Clone)]
pub(crate) struct Header {
    text: String,
    pub(crate) alg: Algorithm,
    kid: Option<Text>,
    typ: Option<Text>,
}

/// A part of the header's text, or what it stands for where it has escapes.
#[derive(Clone)]
enum Text {
    Part(Range<usize>),
    Unescaped(String),
}

impl Header {
    /// Reads the decoded header. `jwk`, `jku`, `x5u`, `x5c` and unknown members are checked as JSON and otherwise ignored: they
    /// never select a key (RFC 8725 §3.10, TOK-05).
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Error> {
        let text = String::from_utf8(bytes).map_err(|_| Error::Utf8)?;
        let mut members = Members::default();
        Reader::document(text.as_bytes(), |reader| members.read_all(reader))?;
        let alg = members.alg.as_deref().ok_or(Error::HeaderMissing { member: "alg" })?.parse()?;
        if let Some(names) = &members.crit {
            return Err(critical(names));
        }
        let (kid, typ) = (members.kid.map(|kid| part(&text, kid)), members.typ.map(|typ| part(&text, typ)));
        Ok(Self { alg, kid, typ, text })
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_ref().map(|kid| self.resolve(kid))
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.typ.as_ref().map(|typ| self.resolve(typ))
    }

    fn resolve<'h>(&'h self, text: &'h Text) -> &'h str {
        match text {
            Text::Part(range) => self.text.get(range.clone()).unwrap_or_default(),
            Text::Unescaped(text) => text,
        }
    }
}

#[derive(Default)]
struct Members<'a> {
    alg: Option<Cow<'a, str>>,
    kid: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
    crit: Option<Vec<String>>,
    /// Names of the members that are read past, to see a duplicate.
    others: Vec<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    fn read_all(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let mut more = reader.enter()?;
        // A header as this library writes it costs one comparison per member.
        for (quoted, name) in [("\"alg\":", "alg"), ("\"kid\":", "kid"), ("\"typ\":", "typ")] {
            if more && reader.goes_on(quoted) {
                self.read(reader, Cow::Borrowed(name))?;
                more = reader.another()?;
            }
        }
        while more {
            let name = reader.name()?;
            self.read(reader, name)?;
            more = reader.another()?;
        }
        Ok(())
    }

    fn read(&mut self, reader: &mut Reader<'a>, name: Cow<'a, str>) -> Result<(), Error> {
        match name.as_ref() {
            "alg" => set(&mut self.alg, reader, "alg"),
            "kid" => {
                set(&mut self.kid, reader, "kid")?;
                let usable = self.kid.as_deref().is_some_and(is_usable_kid);
                if usable { Ok(()) } else { Err(Error::HeaderMalformed { member: "kid" }) }
            }
            "typ" => set(&mut self.typ, reader, "typ"),
            "crit" => reader.fill(&mut self.crit, "crit").map_err(|error| match error {
                Error::ClaimMalformed { .. } => Error::HeaderMalformed { member: "crit" },
                error => error,
            }),
            _ => self.pass(reader, name),
        }
    }

    /// Reads past a member that has no meaning here; `b64` has one (RFC 7797 §3), and only its default is allowed.
    fn pass(&mut self, reader: &mut Reader<'a>, name: Cow<'a, str>) -> Result<(), Error> {
        if self.others.contains(&name) {
            return Err(Error::Duplicate { name: clip(&name) });
        }
        let value = reader.value()?;
        if name == "b64" && value != serde_json::Value::Bool(true) {
            return Err(Error::Unencoded);
        }
        self.others.push(name);
        Ok(())
    }
}

/// No extension is understood yet, so every list is refused; which error depends on its form (RFC 7515 §4.1.11).
pub(crate) fn critical(names: &[String]) -> Error {
    let duplicated = names.iter().enumerate().any(|(index, name)| names[..index].contains(name));
    match names.first() {
        Some(first) if !duplicated => Error::Critical { got: clip(first) },
        _ => Error::HeaderMalformed { member: "crit" },
    }
}

/// A key id is an opaque name; this only keeps it short and out of the way of a log's line.
pub(crate) fn is_usable_kid(kid: &str) -> bool {
    !kid.is_empty() && kid.len() <= MAX_KID_BYTES && !kid.chars().any(char::is_control)
}

fn set<'a>(slot: &mut Option<Cow<'a, str>>, reader: &mut Reader<'a>, member: &'static str) -> Result<(), Error> {
    if slot.is_some() {
        return Err(Error::Duplicate { name: member.into() });
    }
    if reader.peek() != Some(b'"') {
        return Err(Error::HeaderMalformed { member });
    }
    *slot = Some(reader.string()?);
    Ok(())
}

fn part(whole: &str, text: Cow<'_, str>) -> Text {
    match text {
        Cow::Borrowed(part) => {
            let start = part.as_ptr() as usize - whole.as_ptr() as usize;
            Text::Part(start..start + part.len())
        }
        Cow::Owned(text) => Text::Unescaped(text),
    }
}
