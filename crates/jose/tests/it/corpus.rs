//! The corpus of the fuzz targets, replayed: what was once found stays found. `cargo xtask fuzz` looks for more.
#[path = "../../../../fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path};

#[test]
fn every_input_of_the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::ALL {
        let inputs: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() > 2, "{name} has no corpus");
        for path in inputs {
            // The name of the input that fails stands in the output of the test.
            println!("{}", path.display());
            target(&fs::read(&path).unwrap());
        }
    }
}
