//! The bench itself: what is made, started, asked and written.

pub mod instructions;
pub mod make;
pub mod markdown;
#[path = "../../../page.rs"]
pub mod page;
pub mod peers;
pub mod program;
pub mod report;
pub mod rounds;
pub mod targets;
