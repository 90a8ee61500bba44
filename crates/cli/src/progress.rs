//! How far something long has come, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use countersign_server::clock::Stopwatch;

/// How often the bar is drawn.
const DRAW: Duration = Duration::from_millis(100);
/// How often a line is written.
const LINE: Duration = Duration::from_secs(10);
/// Characters of the bar.
const WIDTH: u64 = 30;

/// One thing that is under way.
#[derive(Debug)]
pub struct Progress {
    look: Look,
    unit: &'static str,
    /// What it is about now, and how much was done when that began.
    now: Option<(String, u64, Stopwatch)>,
    drawn: Option<Stopwatch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Bar,
    Lines,
    Silent,
}

impl Progress {
    pub fn new(unit: &'static str, silent: bool) -> Self {
        let look = match silent {
            true => Look::Silent,
            false if stderr().is_terminal() => Look::Bar,
            false => Look::Lines,
        };
        Self { look, unit, now: None, drawn: None }
    }

    /// `what` has come to `done` of `of`; `detail` is what of it is under way.
    pub fn tell(&mut self, what: &str, detail: &str, done: u64, of: u64) {
        let begun = match &self.now {
            Some((now, first, watch)) if now == what => (*first, *watch, false),
            _ => {
                self.now = Some((what.to_owned(), done, Stopwatch::start()));
                (done, Stopwatch::start(), true)
            }
        };
        let (first, watch, new) = begun;
        let pause = if self.look == Look::Bar { DRAW } else { LINE };
        let due =
            new || self.drawn.is_none_or(|drawn| drawn.elapsed() >= pause) || (self.look == Look::Bar && done >= of);
        if self.look == Look::Silent || !due {
            return;
        }
        self.drawn = Some(Stopwatch::start());
        let rate = rate(done - first.min(done), watch.elapsed());
        let line = format!("{what} {detail}: {done} of {of} {}{rate}", self.unit);
        // A terminal that is gone changes nothing.
        let _ = match self.look {
            Look::Bar => write!(stderr(), "\r\x1b[K{} {line}", bar(done, of)),
            _ => writeln!(stderr(), "{line}"),
        };
    }

    /// Nothing more will be told.
    pub fn end(self) {
        if self.look == Look::Bar && self.drawn.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn bar(done: u64, of: u64) -> String {
    let full = done.min(of).saturating_mul(WIDTH).checked_div(of).unwrap_or(WIDTH);
    let (full, rest) = (usize::try_from(full).unwrap_or(0), usize::try_from(WIDTH - full).unwrap_or(0));
    format!("[{}{}] {:>3} %", "#".repeat(full), "-".repeat(rest), percent(done, of))
}

fn percent(done: u64, of: u64) -> u64 {
    done.min(of).saturating_mul(100).checked_div(of).unwrap_or(100)
}

fn rate(done: u64, time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    match done.saturating_mul(1000).checked_div(millis) {
        Some(rate) if millis >= 500 => format!(", {rate}/s"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_it_should_be() {
        assert_eq!(bar(0, 10), format!("[{}]   0 %", "-".repeat(30)));
        assert_eq!(bar(5, 10), format!("[{}{}]  50 %", "#".repeat(15), "-".repeat(15)));
        assert_eq!(bar(12, 10), format!("[{}] 100 %", "#".repeat(30)));
        assert_eq!(bar(0, 0), format!("[{}] 100 %", "#".repeat(30)));
        assert_eq!(rate(100, Duration::from_secs(2)), ", 50/s");
        assert_eq!(rate(100, Duration::from_millis(20)), "");
    }
}
