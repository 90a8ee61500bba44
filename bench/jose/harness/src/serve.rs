//! The conversation: one question per line of standard input, one answer per line of standard output.

use std::{
    env,
    hint::black_box,
    io::{self, BufRead, Write},
    path::Path,
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::{Case, Material, Op};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Question {
    List,
    /// Whether the case does what it should.
    Check(usize),
    /// The case, that many times.
    Run(usize, u32),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    Listed(Vec<Listed>),
    /// The token that was signed, if the case signs.
    Checked(Result<Option<String>, String>),
    Ran(Sample),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listed {
    pub library: String,
    pub op: Op,
    pub alg: String,
}

/// What a batch cost, in total.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sample {
    pub nanoseconds: u64,
    pub allocations: u64,
    pub bytes: u64,
}

/// CPU time of this thread: what other processes do at the same time is not in it.
pub fn cpu_time(run: &mut dyn FnMut()) -> Sample {
    let before = thread_nanoseconds();
    run();
    Sample { nanoseconds: thread_nanoseconds() - before, ..Sample::default() }
}

/// Runs the program: `PROGRAM MATERIAL` answers questions; `PROGRAM MATERIAL TIMES [CASE]` runs each case (or the one of that
/// index) that many times for a profiler.
///
/// # Panics
/// If the bench hangs up or says what is no question.
pub fn serve(cases: fn(&Material) -> Vec<Case>, measure: fn(&mut dyn FnMut()) -> Sample) {
    let mut args = env::args_os().skip(1);
    let material = Material::read(Path::new(&args.next().expect("the path of the material")));
    let mut cases = cases(&material);
    let mut number = || args.next().and_then(|number| number.to_str()?.parse().ok());
    if let Some(times) = number() {
        let only = number();
        let chosen = cases.iter_mut().enumerate().filter(|(index, _)| only.is_none_or(|only| only as usize == *index));
        chosen.for_each(|(_, case)| counted(case, times));
        return;
    }
    let (input, mut output) = (io::stdin().lock(), io::stdout().lock());
    for line in input.lines() {
        let question = serde_json::from_str(&line.expect("a line")).expect("a question");
        let answer = match question {
            Question::List => Answer::Listed(cases.iter().map(listed).collect()),
            Question::Check(index) => Answer::Checked((cases[index].check)()),
            Question::Run(index, times) => {
                let repeat = &mut cases[index].repeat;
                Answer::Ran(measure(&mut || repeat(times)))
            }
        };
        let answer = serde_json::to_string(&answer).expect("an answer");
        writeln!(output, "{answer}").and_then(|()| output.flush()).expect("the bench listens");
    }
}

/// Warms up, then runs what is counted.
fn counted(case: &mut Case, times: u32) {
    (case.repeat)(2);
    black_box(counted_by_callgrind(case, times));
}

/// The profiler knows this function by its name, and sees it end because something follows the call.
#[inline(never)]
fn counted_by_callgrind(case: &mut Case, times: u32) -> u32 {
    (case.repeat)(black_box(times));
    black_box(times)
}

fn listed(case: &Case) -> Listed {
    Listed { library: case.library.clone(), op: case.op, alg: case.alg.clone() }
}

fn thread_nanoseconds() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}
