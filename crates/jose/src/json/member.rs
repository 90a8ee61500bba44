//! The types a claim can have, each with the one JSON form it is read from and written to.

use serde_json::Value;

use super::{Reader, Writer};
use crate::{Error, limits::MAX_INTEGER};

/// A value that a claim can hold. Reading tells "malformed" from "absent": `null` or another type never counts as absent.
pub trait Member: Sized {
    /// What a valid value is, in words for the log.
    const EXPECTED: &'static str;

    /// Reads a value; `None` if it is of another type or out of range. The text is then refused, so that it does not matter how
    /// much of it was consumed.
    ///
    /// # Errors
    /// Those of the JSON text itself.
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error>;

    /// Writes the value.
    fn write(&self, out: &mut Writer);

    /// Whether the value would be read back: asked before it is signed.
    fn is_valid(&self) -> bool {
        true
    }

    /// The value that stands for an absent claim; `None` if the claim is required.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether nothing is written at all.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Member for String {
    const EXPECTED: &'static str = "a text";

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        match reader.plain_string() {
            Some(text) => Ok(Some(text.to_owned())),
            None if reader.peek() == Some(b'"') => reader.string().map(|text| Some(text.into_owned())),
            None => Ok(None),
        }
    }

    fn write(&self, out: &mut Writer) {
        out.text(self);
    }
}

/// Seconds since 1970, or another whole number from 0 to 2^53. No fraction, no exponent, no sign, no text.
impl Member for i64 {
    const EXPECTED: &'static str = "a whole number from 0 to 2^53";

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        Ok(reader.integer(MAX_INTEGER))
    }

    fn write(&self, out: &mut Writer) {
        out.integer(*self);
    }

    fn is_valid(&self) -> bool {
        (0..=MAX_INTEGER).contains(self)
    }
}

impl Member for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        reader.boolean()
    }

    fn write(&self, out: &mut Writer) {
        out.boolean(*self);
    }
}

/// Any object. Its members are checked like those of the claims: no duplicates, bounded depth.
impl Member for Value {
    const EXPECTED: &'static str = "an object";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        if reader.peek() != Some(b'{') {
            return Ok(None);
        }
        reader.value().map(Some)
    }

    fn write(&self, out: &mut Writer) {
        out.value(self);
    }

    fn is_valid(&self) -> bool {
        self.is_object()
    }
}

/// A list of texts; an absent one is empty.
impl Member for Vec<String> {
    const EXPECTED: &'static str = "a list of texts";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        read_list(reader)
    }

    fn write(&self, out: &mut Writer) {
        out.array(self, |out, text| out.text(text));
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Member> Member for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        Ok(T::read(reader)?.map(Some))
    }

    fn write(&self, out: &mut Writer) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn is_valid(&self) -> bool {
        self.as_ref().is_none_or(T::is_valid)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Reads a list of one type; `None` if an element is of another.
pub(crate) fn read_list<T: Member>(reader: &mut Reader<'_>) -> Result<Option<Vec<T>>, Error> {
    if reader.peek() != Some(b'[') {
        return Ok(None);
    }
    let mut items = Vec::new();
    let whole = reader.array(|reader| {
        let Some(item) = T::read(reader)? else { return Ok(false) };
        items.push(item);
        Ok(true)
    })?;
    Ok(whole.then_some(items))
}
