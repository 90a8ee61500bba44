//! What several replicas stand between: HAProxy, PgBouncer, and PostgreSQL that fails over under Patroni and etcd. Found, or
//! installed on Debian as root.
//!
//! Only the programs are wanted: the tests start them for themselves, on loopback.

use std::path::PathBuf;

use crate::{Failure, debian};

/// A program, the variable that names it to the tests, and Debian's packages that bring it.
struct Program {
    name: &'static str,
    variable: &'static str,
    packages: &'static [&'static str],
}

const PROGRAMS: [Program; 4] = [
    Program { name: "haproxy", variable: "COUNTERSIGN_TEST_HAPROXY", packages: &["haproxy"] },
    Program { name: "pgbouncer", variable: "COUNTERSIGN_TEST_PGBOUNCER", packages: &["pgbouncer"] },
    Program { name: "patroni", variable: "COUNTERSIGN_TEST_PATRONI", packages: &["patroni", "python3-etcd"] },
    Program { name: "etcd", variable: "COUNTERSIGN_TEST_ETCD", packages: &["etcd-server"] },
];

/// Each variable with its program. What is set by hand wins over every search.
pub fn programs() -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let absent = || PROGRAMS.iter().filter(|program| program.find().is_none()).collect::<Vec<_>>();
    let before = absent();
    if !before.is_empty() {
        if let Some(why) = debian::obstacle() {
            return Err(Failure::Step(missing(&before, why)));
        }
        println!("{} missing; installing Debian's packages. Nothing of them is started.", names(&before));
        let packages: Vec<_> = before.iter().flat_map(|program| program.packages).copied().collect();
        let services: Vec<_> = before.iter().map(|program| program.name).collect();
        debian::install_programs(&packages, &services)?;
        let after = absent();
        if !after.is_empty() {
            return Err(Failure::Step(missing(&after, "the packages were installed, but that did not bring it")));
        }
    }
    Ok(PROGRAMS.iter().filter_map(|program| Some((program.variable, program.find()?))).collect())
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        if let Some(named) = std::env::var_os(self.variable) {
            return Some(named.into());
        }
        let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
        let folders = path.unwrap_or_default().into_iter().chain(["/usr/sbin".into()]);
        folders.map(|folder| folder.join(self.name)).find(|file| file.is_file())
    }
}

fn names(programs: &[&Program]) -> String {
    programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
}

fn missing(programs: &[&Program], why: &str) -> String {
    let packages: Vec<_> = programs.iter().flat_map(|program| program.packages).copied().collect();
    let variables: Vec<_> =
        programs.iter().map(|program| format!("{}=/path/to/{}", program.variable, program.name)).collect();
    format!(
        "the tests run several replicas with a load balancer, a pooler and a database that fails over; missing: {}; {why}.\n\
         Searched: PATH and /usr/sbin.\n\
         Debian, Ubuntu: sudo apt-get install {}\n\
         Or name them: {}",
        names(programs),
        packages.join(" "),
        variables.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_to_do() {
        let text = missing(&[&PROGRAMS[0], &PROGRAMS[1]], "nothing was installed");
        assert!(text.contains("missing: haproxy, pgbouncer; nothing was installed"), "{text}");
        assert!(text.contains("apt-get install haproxy pgbouncer"), "{text}");
        assert!(text.contains("COUNTERSIGN_TEST_PGBOUNCER="), "{text}");
    }
}
