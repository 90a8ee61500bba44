//! Budgets and forbidden words.

use std::fs;

use crate::source::{collect, root, sources, split};

const LONGEST_FILE: usize = 500;

#[test]
fn files_can_be_held_in_mind() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|file| !file.is_test() && file.lines > LONGEST_FILE)
        .map(|file| format!("{}: {} lines before its tests", file.path, file.lines))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn nothing_is_unsafe_or_unfinished() {
    let unfinished = ["todo!(", "unimplemented!(", "#[ignore"];
    for file in sources() {
        assert!(!file.has_word("unsafe"), "{} has unsafe code", file.path);
        // The whole file, its tests as well; comments and texts may speak of it.
        let (code, _) = split(&fs::read_to_string(root().join(&file.path)).unwrap());
        for word in unfinished {
            assert!(!code.contains(word), "{}: {word}", file.path);
        }
    }
}

/// A crate that forgets this line is checked by no lint.
#[test]
fn every_crate_inherits_the_lints() {
    let mut manifests = Vec::new();
    for folder in ["crates", "examples", "xtask"] {
        collect(&root().join(folder), "toml", &mut manifests);
    }
    manifests.retain(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"));
    assert!(manifests.len() >= 6);
    for manifest in manifests {
        let text = fs::read_to_string(&manifest).unwrap();
        // A workspace of its own has none to inherit.
        let own = text.contains("\n[workspace]\n") && text.contains("[lints.rust]\nunsafe_code = \"forbid\"");
        let inherited = text.contains("[lints]\nworkspace = true");
        assert!(own || inherited, "{} does not inherit the lints", manifest.display());
    }
}
