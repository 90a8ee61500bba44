//! What the process does so that its memory does not end in a file.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process (KEY-01). [`super::KeyRing::open`] does it before it opens the first key.
///
/// A kernel that pipes dumps to a program ignores the limit, therefore the process is also made undumpable where that
/// exists; other processes of the same user can then not read its memory either.
///
/// # Errors
/// The operating system refused.
pub(super) fn forbid_core_dumps() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_core_is_dumped() {
        // KEY-01
        super::forbid_core_dumps().unwrap();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
