//! What an exchanged token rests on (`rests_on`): the tokens that it was exchanged for (RFC 8693), by the names that the revocation
//! log may know them by. When one of them is dead, so is the token.

use serde_json::{Map, Value, json};

use crate::{
    Error,
    json::{Member, Reader, Writer},
    limits::MAX_INTEGER,
};

/// One token that another rests on, written as an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Its `jti`.
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// Whom it is about.
    pub sub: String,
    /// The session that it belongs to, if any.
    pub sid: Option<String>,
    /// The key that signed it, if its header named one.
    pub kid: Option<String>,
    /// Its position in the revocation log.
    pub rsn: i64,
}

impl Basis {
    /// The most tokens that one may rest on: each exchange in a chain of services adds one or two.
    pub const MAX: usize = 8;

    /// `None` if a member is missing, of another type, empty, or not known here: it might ask for one more look into the log.
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let known = |name: &str| ["jti", "client_id", "sub", "sid", "kid", "rsn"].contains(&name);
        if !members.keys().all(|name| known(name)) {
            return None;
        }
        let text = |name: &str| members.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let optional = |name: &str| if members.contains_key(name) { text(name).map(Some) } else { Some(None) };
        Some(Self {
            jti: text("jti")?,
            client_id: text("client_id")?,
            sub: text("sub")?,
            sid: optional("sid")?,
            kid: optional("kid")?,
            rsn: members.get("rsn")?.as_i64().filter(|rsn| (0..=MAX_INTEGER).contains(rsn))?,
        })
    }

    fn to_value(&self) -> Value {
        let mut value = json!({ "jti": self.jti, "client_id": self.client_id, "sub": self.sub, "rsn": self.rsn });
        for (name, text) in [("sid", &self.sid), ("kid", &self.kid)] {
            if let Some(text) = text {
                value[name] = json!(text);
            }
        }
        value
    }
}

/// A list; an absent one is empty, and an empty one is not written.
impl Member for Vec<Basis> {
    const EXPECTED: &'static str = "a list of 1 to 8 tokens, each with jti, client_id, sub and rsn";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        if reader.peek() != Some(b'[') {
            return Ok(None);
        }
        let Value::Array(items) = reader.value()? else { return Ok(None) };
        if !(1..=Basis::MAX).contains(&items.len()) {
            return Ok(None);
        }
        Ok(items.iter().map(|item| Basis::read(item.as_object()?)).collect())
    }

    fn write(&self, out: &mut Writer) {
        out.array(self, |out, basis| out.value(&basis.to_value()));
    }

    fn is_valid(&self) -> bool {
        let good = |basis: &Basis| basis.to_value().as_object().and_then(Basis::read).as_ref() == Some(basis);
        self.len() <= Basis::MAX && self.iter().all(good)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}
