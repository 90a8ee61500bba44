//! Whether what the database says is committed can still be lost: that a revocation holds from its answer on rests on it.

/// How a PostgreSQL is set up, as far as an ordinary role can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// `fsync`: commits wait for the disk.
    pub fsync: bool,
    /// `synchronous_commit`.
    pub commit: String,
    /// `synchronous_standby_names`.
    pub synchronous: String,
    /// Standbys that follow now.
    pub standbys: i64,
}

impl Durability {
    /// What is wrong with it, in sentences for its operator.
    pub fn problems(&self) -> Vec<&'static str> {
        let mut problems = Vec::new();
        if !self.fsync {
            problems.push("fsync is off: a crash of its machine may lose or damage everything; set fsync = on");
        }
        if self.commit == "off" {
            problems
                .push("synchronous_commit is off: a crash may lose what was acknowledged; set synchronous_commit = on");
        } else if self.standbys > 0 && (self.synchronous.is_empty() || self.commit == "local") {
            problems.push(
                "a standby follows the database asynchronously: a failover to it may lose revocations that were answered, so \
                 the strict promise does not hold; name it in synchronous_standby_names and leave synchronous_commit on",
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(commit: &str, synchronous: &str, standbys: i64) -> usize {
        let (commit, synchronous) = (commit.to_owned(), synchronous.to_owned());
        Durability { fsync: true, commit, synchronous, standbys }.problems().len()
    }

    // I-4
    #[test]
    fn whoever_may_lose_what_was_answered_hears_of_it() {
        assert_eq!(problems("on", "", 0), 0);
        assert_eq!(problems("on", "ANY 1 (b, c)", 2), 0);
        assert_eq!(problems("remote_apply", "*", 1), 0);
        assert_eq!(problems("on", "", 1), 1);
        assert_eq!(problems("local", "*", 1), 1);
        assert_eq!(problems("local", "", 0), 0);
        assert_eq!(problems("off", "*", 1), 1);
        let careless = Durability { fsync: false, commit: "on".into(), synchronous: String::new(), standbys: 1 };
        assert_eq!(careless.problems().len(), 2);
    }
}
