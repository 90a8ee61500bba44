//! Interleaved rounds: in each, every library does every operation once, beginning with another library each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use bench_jose::PRIMITIVE;
use bench_jose_harness::{Listed, Op, Sample};

use super::{peers::Programs, program::Program};

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub rounds: usize,
    /// CPU time of one batch.
    batch_ns: u64,
}

impl Plan {
    pub fn new(quick: bool) -> Self {
        if quick { Self { rounds: 12, batch_ns: 5_000_000 } } else { Self { rounds: 120, batch_ns: 12_000_000 } }
    }
}

/// The nanoseconds of one operation, by round.
pub type Times = BTreeMap<Listed, Vec<f64>>;

/// A case and who runs it.
struct Place {
    case: Listed,
    program: usize,
    index: usize,
    times: u32,
}

pub fn measure(programs: &mut [Program], plan: Plan) -> Result<Times> {
    let mut places = Vec::new();
    for program in 0..programs.len() {
        for index in 0..programs[program].cases.len() {
            let case = programs[program].cases[index].clone();
            let times = batch(&mut programs[program], index, plan.batch_ns)?;
            places.push(Place { case, program, index, times });
        }
    }
    let kinds: BTreeSet<(Op, String)> = places.iter().map(|place| (place.case.op, place.case.alg.clone())).collect();
    let mut times = Times::new();
    for round in 0..plan.rounds {
        for (op, alg) in &kinds {
            let mut group: Vec<_> =
                places.iter().filter(|place| (place.case.op, &place.case.alg) == (*op, alg)).collect();
            let first = round % group.len();
            group.rotate_left(first);
            for place in group {
                let sample = programs[place.program].run(place.index, place.times)?;
                times.entry(place.case.clone()).or_default().push(per_operation(sample.nanoseconds, place.times));
            }
        }
    }
    Ok(times)
}

/// How often a case runs in one batch; warms it up on the way.
fn batch(program: &mut Program, index: usize, batch_ns: u64) -> Result<u32> {
    let mut times = 1;
    loop {
        let took = program.run(index, times)?.nanoseconds.max(1);
        if took >= batch_ns / 4 || times >= 1 << 24 {
            return Ok(u32::try_from(u64::from(times) * batch_ns / took).unwrap_or(u32::MAX).max(1));
        }
        times *= 2;
    }
}

/// Allocations and bytes per operation, warm.
pub fn allocations(programs: &[Programs], material: &Path) -> Result<BTreeMap<Listed, (f64, f64)>> {
    const TIMES: u32 = 50;
    let mut counted = BTreeMap::new();
    for program in programs {
        let mut program = Program::start(&program.count, material)?;
        for index in 0..program.cases.len() {
            program.run(index, 2)?;
            let Sample { allocations, bytes, .. } = program.run(index, TIMES)?;
            let each = (per_operation(allocations, TIMES), per_operation(bytes, TIMES));
            counted.insert(program.cases[index].clone(), each);
        }
    }
    Ok(counted)
}

/// The ratios to the primitive, round by round.
pub fn ratios(times: &Times, case: &Listed) -> Vec<f64> {
    let primitive = Listed { library: PRIMITIVE.into(), ..case.clone() };
    match (times.get(case), times.get(&primitive)) {
        (Some(mine), Some(primitive)) => mine.iter().zip(primitive).map(|(mine, primitive)| mine / primitive).collect(),
        _ => Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn per_operation(total: u64, times: u32) -> f64 {
    total as f64 / f64::from(times)
}

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_nothing() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let case = |library: &str| Listed { library: library.into(), op: Op::Sign, alg: "HS256".into() };
        let times = Times::from([(case("a"), vec![2.0, 9.0]), (case(PRIMITIVE), vec![1.0, 3.0])]);
        assert_eq!(ratios(&times, &case("a")), [2.0, 3.0]);
        assert_eq!(ratios(&times, &case("b")), [0.0; 0]);
    }
}
