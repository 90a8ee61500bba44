//! The processes of a program, seen from the one that starts them: the program again, with the name of a part as its
//! argument.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{Failure, process::LISTENING};

/// The longest that a process may take until it listens.
const START: Duration = Duration::from_secs(30);
/// The longest that one may take to end by itself.
const END: Duration = Duration::from_secs(5);

/// A running part. It ends when this is dropped.
#[derive(Debug)]
pub struct Part {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Part {
    /// Starts a part and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, ends at once, or does not listen in time.
    pub async fn start(name: &str, variables: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(name)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take();
        // From here on the child ends with this value, whatever happens.
        let mut part = Self { child, url: String::new() };
        let (listens, url) = oneshot::channel();
        thread::spawn(move || read(stdout, listens));
        let url = tokio::time::timeout(START, url).await;
        let url = url.map_err(|_| format!("the {name} process did not listen within {START:?}"))?;
        part.url = url.map_err(|_| format!("the {name} process ended before it listened"))?;
        Ok(part)
    }

    /// Ends it at once, as a crash or `kill -9` does.
    ///
    /// # Errors
    /// It could not be ended.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Part {
    /// Asks it to end by closing its standard input, and ends it if it does not.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while waited < END && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(step);
            waited += step;
        }
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes the URL on, and reads to the end, so that the child never waits for a full pipe.
fn read(stdout: Option<ChildStdout>, listens: oneshot::Sender<String>) {
    let Some(stdout) = stdout else { return };
    let mut listens = Some(listens);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let (Some(url), Some(listens)) = (line.strip_prefix(LISTENING), listens.take()) {
            // The receiver is gone if nobody waits any more.
            let _ = listens.send(url.to_owned());
        }
    }
}
