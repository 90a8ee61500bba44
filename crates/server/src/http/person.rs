//! A person as the client of one of their sessions may know them.

use crate::{domain::person::Person, store::sessions::Authority};

/// The person of a session, whom its client knows as `subject`, with the roles that count at the audiences of its tokens.
pub fn person_of<'a>(authority: &'a Authority, subject: &'a str, roles: &'a [String]) -> Person<'a> {
    Person {
        subject,
        email: &authority.email,
        email_verified: authority.email_verified,
        attributes: &authority.attributes,
        roles,
    }
}
