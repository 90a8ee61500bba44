//! Rust files as the rules see them: code, texts and comments apart, and where the tests begin.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One Rust file of the repository.
pub struct Source {
    /// From the root, with `/`.
    pub path: String,
    /// Lines before the file's own tests.
    pub lines: usize,
    /// The code before the tests, without comments; each text literal is left as `""`.
    pub code: String,
    /// The contents of the text literals before the tests.
    pub texts: Vec<String>,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let whole = fs::read_to_string(path).unwrap();
        let own = before_tests(&whole);
        let (code, texts) = split(own);
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        Self { path, lines: own.lines().count(), code, texts }
    }

    /// Whether the code has `word` as a whole identifier.
    pub fn has_word(&self, word: &str) -> bool {
        words(&self.code).any(|found| found == word)
    }

    pub fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }
}

/// Every Rust file of the product, in a fixed order.
pub fn sources() -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    for folder in ["crates", "examples", "xtask", "bench"] {
        collect(&root.join(folder), "rs", &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Source::read(&root, path)).collect()
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Adds the files under `folder` with this extension; build output, packages of others and hidden folders are left out.
pub fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && !matches!(name, "target" | "node_modules" | "countersign-data") {
                collect(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

/// The identifiers of a piece of code.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Tests stand last in a file: everything before the module of tests.
fn before_tests(whole: &str) -> &str {
    let module = whole.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at).next();
    &whole[..module.unwrap_or(whole.len())]
}

/// Code without comments and with empty text literals, and the literals' contents.
pub fn split(source: &str) -> (String, Vec<String>) {
    let (mut code, mut texts) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some((before, inside, after)) = text_at(rest, code.chars().last()) {
            texts.push(rest[before..before + inside].to_owned());
            code.push_str("\"\"");
            before + inside + after
        } else if let Some(length) = char_literal(rest) {
            length
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    (code, texts)
}

/// A text literal at the start: the lengths of its opening, its content and its closing.
fn text_at(rest: &str, previous: Option<char>) -> Option<(usize, usize, usize)> {
    if let Some(content) = rest.strip_prefix('"') {
        let mut escaped = false;
        for (at, c) in content.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Some((1, at, 1)),
                _ => {}
            }
        }
        return None;
    }
    // Raw: r"…", r#"…"#. An `r` that ends a longer word opens nothing.
    let hashes = rest.strip_prefix('r')?.chars().take_while(|c| *c == '#').count();
    let content = rest.get(1 + hashes..)?.strip_prefix('"')?;
    if previous.is_some_and(|c| (c.is_alphanumeric() && c != 'b') || c == '_') {
        return None;
    }
    let closing = format!("\"{}", "#".repeat(hashes));
    content.find(&closing).map(|at| (2 + hashes, at, closing.len()))
}

/// `'"'` and `'\''` hide quotes from the text search; a lifetime is no literal.
fn char_literal(rest: &str) -> Option<usize> {
    let content = rest.strip_prefix('\'')?;
    let mut chars = content.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return content[2..].find('\'').map(|at| at + 4);
    }
    let (at, next) = chars.next()?;
    (next == '\'').then_some(at + 2)
}

#[test]
fn code_texts_and_comments_are_told_apart() {
    let source = r##"fn a<'a>() { let q = '"'; let e = '\''; b("SELECT \" 1", r#"x"y"#); } // async in a comment
/* await */ let s = for_r;
"##;
    let (code, texts) = split(source);
    assert_eq!(texts, ["SELECT \\\" 1", "x\"y"]);
    assert!(!code.contains("async") && !code.contains("await"));
    assert!(code.contains("for_r"));
}

#[test]
fn tests_of_a_file_are_left_out() {
    assert_eq!(before_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {}\n"), "fn a() {}\n\n");
}
