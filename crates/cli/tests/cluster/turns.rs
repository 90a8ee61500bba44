//! Work in the background: two replicas share it, each turn is one replica's, and what a killed one had begun the other does.

use countersign_server::{clock::Clock, domain::limits::AccountLimit};
use tokio_postgres::{Client, NoTls};

use crate::{
    daemon::{alone, wait},
    fleet::Fleet,
    postgres::Cluster,
};

const JOBS: [&str; 3] = ["counts", "proofs", "trim"];
/// Every, and lease, in milliseconds.
const TURNS: (&str, &str) = ("COUNTERSIGN_TEST_TURNS", "200,3000");

/// Writes down every step.
const HISTORY: &str = "
    CREATE TABLE seen (n bigserial, at bigint, name text, holder text, until bigint);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen (at, name, holder, until) VALUES
            (CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint), NEW.name, NEW.holder, NEW.until);
        RETURN NULL;
    END $$;
    CREATE TRIGGER see AFTER INSERT OR UPDATE ON turns FOR EACH ROW EXECUTE FUNCTION see()";

/// The database, as an operator looks at it.
struct Watch {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Watch {
    fn new(runtime: tokio::runtime::Runtime, url: &str) -> Self {
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(HISTORY).await.unwrap();
            client
        });
        Self { runtime, client }
    }

    /// Holder of a kind of work, when it is due again, and whether a turn is under way.
    fn turn(&self, job: &str) -> Option<(String, i64, bool)> {
        let sql = "SELECT holder, next_at, until > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) \
                   FROM turns WHERE name = $1";
        let row = self.runtime.block_on(self.client.query_opt(sql, &[&job])).unwrap();
        row.map(|row| (row.get(0), row.get(1), row.get(2)))
    }

    /// No turn has begun before the one before it had ended, by its end or by its lease.
    fn nobody_was_disturbed(&self) {
        let sql = "SELECT name, holder, at, until FROM seen ORDER BY name, n";
        let rows = self.runtime.block_on(self.client.query(sql, &[])).unwrap();
        let seen: Vec<(String, String, i64, i64)> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        let mut changes = 0;
        for pair in seen.windows(2) {
            let [(name, holder, _, until), (next_name, next_holder, at, _)] = pair else { unreachable!() };
            if name == next_name && holder != next_holder {
                changes += 1;
                assert!(until <= at, "{pair:?}");
            }
        }
        println!("{} steps of turns, {changes} changes of the holder", seen.len());
        assert!(changes > 0);
    }

    /// A count of failed sign-ins that nobody needs any more.
    fn forgettable(&self) {
        let long_ago = Clock::System.now().minus(AccountLimit::FORGOTTEN_AFTER * 2).micros();
        let sql = "INSERT INTO login_limits (account, failures, free_at, updated_at) VALUES ('nobody', 3, 0, $1)";
        self.runtime.block_on(self.client.execute(sql, &[&long_ago])).unwrap();
    }

    fn is_forgotten(&self) -> bool {
        let sql = "SELECT count(*) FROM login_limits WHERE account = 'nobody'";
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get::<_, i64>(0) == 0
    }

    /// Waits until this work has been done once more; whose turn it was.
    fn goes_on(&self, job: &str) -> String {
        let due = self.turn(job).map_or(0, |(_, due, _)| due);
        let mut holder = String::new();
        wait(&|| format!("{job} is not done any more: {:?}", self.turn(job)), || {
            let Some((by, next, _)) = self.turn(job) else { return false };
            holder = by;
            next > due
        });
        holder
    }
}

#[test]
fn what_a_killed_replica_had_begun_the_other_does() {
    let _alone = alone();
    let cluster = Cluster::start("listen_addresses = ''\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(cluster.create_database());
    let fleet = Fleet::start(&[url.as_str(); 2], &[TURNS]);
    let watch = Watch::new(runtime, &url);
    for job in JOBS {
        watch.goes_on(job);
    }
    for _ in 0..10 {
        watch.goes_on("trim");
    }
    // Whoever survives has to do it all. The first one dies in the middle of a turn: it has taken it and done nothing.
    for doomed in [0, 1] {
        let replica = &fleet.replicas[doomed];
        replica.signal("-KILL");
        assert_eq!(replica.ended(), None);
        for job in JOBS {
            watch.goes_on(job);
        }
        replica.begin(&[("COUNTERSIGN_TEST_FAILPOINT", "turn.taken:1")]);
        assert_eq!(replica.ended(), None, "it dies by its own hand at its first turn");
        let begun: Vec<_> = JOBS.iter().filter_map(|job| Some((*job, watch.turn(job)?))).collect();
        let (job, (dead, ..)) =
            begun.iter().find(|(_, (.., under_way))| *under_way).unwrap_or_else(|| panic!("{begun:?}"));
        watch.forgettable();
        let heir = watch.goes_on(job);
        assert_ne!(heir, *dead, "{job}");
        wait(&|| "the count is not forgotten".to_owned(), || watch.is_forgotten());
        replica.begin(&[]);
        replica.ready();
    }
    watch.nobody_was_disturbed();
}
