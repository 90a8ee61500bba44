//! What the fuzz targets do with their input; [`targets`] is also compiled into an ordinary test, which replays the corpus.

pub mod targets;
