//! The claims of each kind of token, one line per claim.

mod access;
mod audience;
mod basis;
mod client_assertion;
mod confirmation;
mod dpop;
mod feed;
mod feed_time;
mod generic;
mod id;
mod logout;
mod org;
mod request_object;

pub use access::AccessClaims;
pub use audience::Audience;
pub use basis::Basis;
pub use client_assertion::ClientAssertionClaims;
pub use confirmation::Confirmation;
pub use dpop::DpopClaims;
pub use feed::{FeedClaims, FeedEntry};
pub use feed_time::FeedTimeClaims;
pub use generic::GenericClaims;
pub use id::IdClaims;
pub use logout::{LOGOUT_EVENT, LogoutClaims};
pub use org::Org;
pub use request_object::RequestObjectClaims;

use serde_json::{Map, Value};

use crate::{
    Error,
    json::{Member, Reader, Writer},
};

/// A set of claims that can be signed and verified.
pub trait Claims: Sized {
    /// Reads the claims from the payload of a token, a JSON object in UTF-8.
    ///
    /// It is for the payload of a token whose signature held, or for a trusted JSON document (an introspection answer);
    /// reading proves nothing.
    ///
    /// # Errors
    /// Those of the JSON text; [`Error::ClaimMissing`] and [`Error::ClaimMalformed`].
    fn from_json(json: &[u8]) -> Result<Self, Error>;

    /// Writes every claim that is present.
    fn write(&self, out: &mut Writer);

    /// Whether every claim would be read back: asked before signing.
    ///
    /// # Errors
    /// [`Error::ClaimMalformed`]; [`Error::ClaimReserved`] for a custom claim that has the name of a field.
    fn check_members(&self) -> Result<(), Error>;

    /// The registered claims that a [`Policy`](crate::Policy) checks.
    fn registered(&self) -> Registered<'_>;

    /// Rules of this kind of token beyond presence and type. They hold when signing, too.
    ///
    /// # Errors
    /// [`Error::ClaimMalformed`], [`Error::ClaimForbidden`].
    fn rules(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The claims of RFC 7519 §4.1 that every policy checks, as far as a kind of token has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Registered<'c> {
    /// `iss`
    pub iss: Option<&'c str>,
    /// `aud`
    pub aud: Option<&'c Audience>,
    /// `exp`, in seconds since 1970
    pub exp: Option<i64>,
    /// `nbf`, in seconds since 1970
    pub nbf: Option<i64>,
    /// `iat`, in seconds since 1970
    pub iat: Option<i64>,
}

/// Defines a claims type: one line gives a claim its name, its field and its type. `registered` and `rules` follow.
macro_rules! claims {
    (
        $(#[$meta:meta])* $type:ident {
            $( $(#[$field_meta:meta])* $name:literal => $field:ident: $value:ty, )*
        }
        $($item:item)*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $type {
            $( $(#[$field_meta])* pub $field: $value, )*
            /// Custom claims: every member that has no field above. A registered name in here is refused when signing.
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::claims::Claims for $type {
            fn from_json(json: &[u8]) -> Result<Self, $crate::Error> {
                $( let mut $field: Option<$value> = None; )*
                let mut extra = serde_json::Map::new();
                $crate::json::Reader::document(json, |reader| {
                    let mut more = reader.enter()?;
                    // Members in the order of the lines above, as this library writes them, cost one comparison each.
                    $(
                        if more && reader.goes_on(concat!("\"", $name, "\":")) {
                            reader.fill(&mut $field, $name)?;
                            more = reader.another()?;
                        }
                    )*
                    while more {
                        let name = reader.name()?;
                        match name.as_ref() {
                            $( $name => $crate::claims::fill(reader, &mut $field, $name)?, )*
                            _ => reader.insert(&mut extra, name)?,
                        }
                        more = reader.another()?;
                    }
                    Ok(())
                })?;
                Ok(Self { $( $field: $crate::claims::present($field, $name)?, )* extra })
            }

            fn write(&self, out: &mut $crate::json::Writer) {
                $( out.quoted_member(concat!(",\"", $name, "\":"), &self.$field); )*
                for (name, value) in &self.extra {
                    out.entry(name, value);
                }
            }

            fn check_members(&self) -> Result<(), $crate::Error> {
                $( $crate::claims::check_member(&self.$field, $name)?; )*
                $crate::claims::check_extra(&self.extra, &[$( $name ),*])
            }

            $($item)*
        }
    };
}
use claims;

/// A member out of order, which is rare: not worth a copy of the code for each claim.
#[inline(never)]
fn fill<T: Member>(reader: &mut Reader<'_>, slot: &mut Option<T>, claim: &'static str) -> Result<(), Error> {
    reader.fill(slot, claim)
}

#[inline]
fn present<T: Member>(value: Option<T>, claim: &'static str) -> Result<T, Error> {
    match value.or_else(T::absent) {
        Some(value) => Ok(value),
        None => Err(Error::ClaimMissing { claim }),
    }
}

#[inline(always)]
fn check_member<T: Member>(value: &T, claim: &'static str) -> Result<(), Error> {
    if value.is_valid() { Ok(()) } else { Err(Error::ClaimMalformed { claim, expected: T::EXPECTED }) }
}

/// A custom claim beside a field of the same name would be a second one.
#[inline]
fn check_extra(extra: &Map<String, Value>, fields: &[&'static str]) -> Result<(), Error> {
    if extra.is_empty() {
        return Ok(());
    }
    match fields.iter().find(|name| extra.contains_key(**name)) {
        Some(name) => Err(Error::ClaimReserved { name: (*name).into() }),
        None => Ok(()),
    }
}

/// Refuses an empty text where a name must stand.
fn not_empty(text: &str, claim: &'static str) -> Result<(), Error> {
    if text.is_empty() { Err(Error::ClaimMalformed { claim, expected: "a text that is not empty" }) } else { Ok(()) }
}

fn forbid(extra: &Map<String, Value>, names: &[&'static str]) -> Result<(), Error> {
    match names.iter().find(|name| extra.contains_key(**name)) {
        Some(claim) => Err(Error::ClaimForbidden { claim }),
        None => Ok(()),
    }
}
