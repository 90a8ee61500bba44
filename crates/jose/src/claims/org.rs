//! The organisation that a token speaks for (`org`).

use serde_json::{Value, json};

use crate::{
    Error,
    json::{Member, Reader, Writer},
};

/// An organisation, as a token names it: `{"id":"acme"}`. Other members of the object are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id at the issuer, never empty.
    pub id: String,
}

impl Member for Org {
    const EXPECTED: &'static str = "an object with the text id";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        if reader.peek() != Some(b'{') {
            return Ok(None);
        }
        let Value::Object(mut members) = reader.value()? else { return Ok(None) };
        match members.remove("id") {
            Some(Value::String(id)) if !id.is_empty() => Ok(Some(Self { id })),
            _ => Ok(None),
        }
    }

    fn write(&self, out: &mut Writer) {
        out.value(&json!({ "id": self.id }));
    }

    fn is_valid(&self) -> bool {
        !self.id.is_empty()
    }
}
