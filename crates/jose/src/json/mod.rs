//! Strict JSON: UTF-8 only, no duplicate member at any level, bounded depth, no number that changes its value.
//!
//! A reader of its own, because the checks are the point: general parsers keep the last of two members, read `1e400` as
//! infinity or `"1"` as a number on request, and hide which of the three states (absent, valid, malformed) a claim was in.

mod member;
mod read;
mod scan;
mod write;

pub use member::Member;
pub(crate) use member::read_list;
pub use read::Reader;
pub use write::Writer;
