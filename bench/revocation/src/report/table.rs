//! Tables, and the part of the book's page that is this bench's.

use std::{fmt::Write, fs, path::Path};

use anyhow::Result;

const BEGIN: &str = "<!-- cargo xtask bench revocation: begin -->";
const END: &str = "<!-- cargo xtask bench revocation: end -->";

pub fn table(title: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = format!("### {title}\n\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
    out
}

/// Replaces the part of the page that belongs to this bench and leaves the rest alone.
pub fn place(path: &Path, text: &str) -> Result<()> {
    let page = fs::read_to_string(path)?;
    fs::write(path, placed(&page, text))?;
    Ok(())
}

fn placed(page: &str, text: &str) -> String {
    let part = format!("{BEGIN}\n{text}{END}\n");
    match (page.find(BEGIN), page.find(END)) {
        (Some(from), Some(to)) => {
            let rest = page[to + END.len()..].trim_start_matches('\n');
            let gap = if rest.is_empty() { "" } else { "\n" };
            format!("{}{part}{gap}{rest}", &page[..from])
        }
        _ => format!("{}\n\n{part}", page.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_bench_s_part_of_the_page_is_replaced() {
        let page = placed("# Benchmarks\n", "one\n") + "\n## Another\n";
        let page = placed(&page, "two\n");
        assert_eq!(page, format!("# Benchmarks\n\n{BEGIN}\ntwo\n{END}\n\n## Another\n"));
        assert_eq!(placed(&page, "two\n"), page);
    }
}
