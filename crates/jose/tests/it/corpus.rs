//! The corpus of the fuzz targets, replayed: what was once found stays found. `cargo xtask fuzz` looks for more.

#[path = "../../../../fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path, sync::LazyLock};

use proptest::{collection::vec, prelude::*, sample::Index};

/// A file and what is in it.
type Input = (String, Vec<u8>);

/// The inputs of each target.
static CORPUS: LazyLock<Vec<Vec<Input>>> = LazyLock::new(|| {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let read = |path: &Path| (path.display().to_string(), fs::read(path).unwrap());
    let folder = |name| fs::read_dir(corpus.join(name)).unwrap().map(|entry| read(&entry.unwrap().path())).collect();
    targets::ALL.iter().map(|(name, _)| folder(name)).collect()
});

#[test]
fn every_input_of_the_corpus_holds() {
    for ((name, target), inputs) in targets::ALL.iter().zip(&*CORPUS) {
        assert!(inputs.len() > 2, "{name} has no corpus");
        for (path, input) in inputs {
            // The name of the input that fails stands in the output of the test.
            println!("{path}");
            target(input);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    // A brief run of every target: as much as each test run can afford.
    #[test]
    fn every_input_that_is_changed_a_little_holds(
        number in 0..targets::ALL.len(),
        input in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..8),
    ) {
        let mut bytes = input.get(&CORPUS[number]).1.clone();
        for (at, byte, change) in changes {
            let at = at.index(bytes.len() + 1);
            match change {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 => bytes.extend_from_within(at..),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|each| *each = byte),
            }
        }
        targets::ALL[number].1(&bytes);
    }
}
