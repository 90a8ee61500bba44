//! The page of the book that every bench writes a part of (`docs/benchmarks.md`). Each bench includes this file: they are
//! workspaces of their own and share nothing else.

use std::{fs, io, path::Path};

/// Replaces the part of the page that belongs to this bench and leaves the rest alone.
pub fn place(page: &Path, bench: &str, text: &str) -> io::Result<()> {
    let begin = format!("<!-- cargo xtask bench {bench}: begin -->");
    let end = format!("<!-- cargo xtask bench {bench}: end -->");
    let before = fs::read_to_string(page)?;
    let part = format!("{begin}\n{text}{end}\n");
    let after = match (before.find(&begin), before.find(&end)) {
        (Some(from), Some(to)) => {
            let rest = before[to + end.len()..].trim_start_matches('\n');
            let gap = if rest.is_empty() { "" } else { "\n" };
            format!("{}{part}{gap}{rest}", &before[..from])
        }
        _ => format!("{}\n\n{part}", before.trim_end()),
    };
    fs::write(page, after)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn only_this_bench_s_part_of_the_page_is_replaced() {
        let page = std::env::temp_dir().join(format!("bench-page-{}.md", std::process::id()));
        std::fs::write(&page, "# Benchmarks\n").expect("written");
        place(&page, "one", "first\n").expect("placed");
        place(&page, "other", "second\n").expect("placed");
        place(&page, "one", "third\n").expect("placed");
        let text = std::fs::read_to_string(&page).expect("there");
        std::fs::remove_file(&page).expect("removed");
        assert!(text.starts_with("# Benchmarks\n\n<!-- cargo xtask bench one: begin -->\nthird\n<!--"), "{text}");
        assert!(text.contains("one: end -->\n\n<!-- cargo xtask bench other: begin -->\nsecond\n"), "{text}");
    }
}
