//! A batch of the revocation feed.

use super::{Registered, claims, not_empty};
use crate::{
    Error,
    json::{Member, Reader, Writer, read_list},
};

claims! {
    /// One line of the revocation feed. Positions (`rsn`) and times are microseconds of the issuer's database clock. It has
    /// no `exp`: its freshness is `t`, which the reader judges.
    FeedClaims {
        /// Issuer.
        "iss" => iss: String,
        /// Stream.
        "st" => stream: i64,
        /// The position that this batch continues from.
        "p" => previous: i64,
        /// The new head.
        "h" => head: i64,
        /// Everything committed before this time is at or below the head.
        "t" => time: i64,
        /// Floor: tokens below it are dead.
        "f" => floor: i64,
        /// Whether more parts of a snapshot follow.
        "m" => more: bool,
        /// The revocations; none is a heartbeat.
        "e" => entries: Vec<FeedEntry>,
    }

    fn registered(&self) -> Registered<'_> {
        Registered { iss: Some(&self.iss), ..Registered::default() }
    }

    fn rules(&self) -> Result<(), Error> {
        not_empty(&self.iss, "iss")
    }
}

/// One revocation, written `[kind, id, rsn, exp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// What is revoked: 1 jti, 2 sid, 3 sub, 4 client, 5 tenant, 6 kid.
    pub kind: i64,
    /// 16 bytes of a hash of its name, in base64url.
    pub id: String,
    /// Its position.
    pub rsn: i64,
    /// When it may be forgotten, in seconds since 1970; 0 is never.
    pub exp: i64,
}

impl Member for FeedEntry {
    const EXPECTED: &'static str = "a list of kind, id, rsn and exp";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        if reader.peek() != Some(b'[') {
            return Ok(None);
        }
        let mut entry = Self { kind: 0, id: String::new(), rsn: 0, exp: 0 };
        let mut index = 0;
        let whole = reader.array(|reader| {
            index += 1;
            match index {
                1 => set(&mut entry.kind, reader),
                2 => set(&mut entry.id, reader),
                3 => set(&mut entry.rsn, reader),
                4 => set(&mut entry.exp, reader),
                _ => Ok(false),
            }
        })?;
        Ok((whole && index == 4).then_some(entry))
    }

    fn write(&self, out: &mut Writer) {
        out.array(&[0, 1, 2, 3], |out, index| match index {
            0 => out.integer(self.kind),
            1 => out.text(&self.id),
            2 => out.integer(self.rsn),
            _ => out.integer(self.exp),
        });
    }

    fn is_valid(&self) -> bool {
        [self.kind, self.rsn, self.exp].iter().all(i64::is_valid)
    }
}

/// Required, and written even if it is empty.
impl Member for Vec<FeedEntry> {
    const EXPECTED: &'static str = "a list of entries";

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        read_list(reader)
    }

    fn write(&self, out: &mut Writer) {
        out.array(self, |out, entry| entry.write(out));
    }

    fn is_valid(&self) -> bool {
        self.iter().all(FeedEntry::is_valid)
    }
}

fn set<T: Member>(slot: &mut T, reader: &mut Reader<'_>) -> Result<bool, Error> {
    let value = T::read(reader)?;
    let fits = value.is_some();
    if let Some(value) = value {
        *slot = value;
    }
    Ok(fits)
}
