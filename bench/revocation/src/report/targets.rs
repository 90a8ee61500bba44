//! What was promised, beside what was measured.

use serde::Serialize;

use super::{Report, checks, cuts, delays, durables, table::table as make};

#[derive(Debug, Serialize)]
pub struct Target {
    pub what: String,
    pub wanted: String,
    pub measured: String,
    pub reached: bool,
}

impl Target {
    /// `measured` must stay below `limit`.
    pub fn below(what: impl Into<String>, limit: f64, measured: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            wanted: format!("< {} {unit}", number(limit)),
            measured: format!("{} {unit}", number(measured)),
            reached: measured < limit,
        }
    }

    /// `measured` must reach `limit`.
    pub fn at_least(what: impl Into<String>, limit: f64, measured: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            wanted: format!("≥ {} {unit}", number(limit)),
            measured: format!("{} {unit}", number(measured)),
            reached: measured >= limit,
        }
    }
}

/// As many digits as say something, thousands apart.
pub fn number(value: f64) -> String {
    let text = match value.abs() {
        large if large >= 1_000.0 => format!("{:.0}", value),
        middle if middle >= 100.0 => format!("{value:.0}"),
        small if small >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let digits = whole.trim_start_matches('-');
    let mut out = if whole.starts_with('-') { "−".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    match rest.map(|rest| rest.trim_end_matches('0')).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{out}.{rest}"),
        None => out,
    }
}

pub fn of(report: &Report) -> Vec<Target> {
    let mut targets = delays::targets(&report.delays);
    targets.extend(report.million.iter().flat_map(checks::targets));
    targets.extend(report.durable.iter().flat_map(durables::targets));
    targets.extend(report.cut.iter().flat_map(cuts::targets));
    targets
}

pub fn table(targets: &[Target]) -> String {
    let rows = targets.iter().map(|target| {
        let reached = if target.reached { "yes" } else { "**no**" };
        vec![target.what.clone(), target.wanted.clone(), target.measured.clone(), reached.to_owned()]
    });
    make("Targets", &["", "wanted", "measured", "reached"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        let texts = [1_234_567.0, 12_345.6, 123.4, 12.34, 1.0, 0.051, -0.3].map(number);
        assert_eq!(texts, ["1,234,567", "12,346", "123", "12.3", "1", "0.05", "−0.3"]);
    }

    #[test]
    fn a_limit_is_missed_by_reaching_it_or_by_not_reaching_it() {
        assert!(!Target::below("", 1.0, 1.0, "s").reached);
        assert!(Target::at_least("", 1.0, 1.0, "s").reached);
    }
}
