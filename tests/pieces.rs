//! docs/pieces.md names every piece that the library exports.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The types that `pub use` lines of a module export, and those that the list of activations registers.
fn exported(module: &str) -> BTreeSet<String> {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module)).unwrap();
    let lists =
        source.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next()).filter(|list| !list.contains('$'));
    let registered = source.lines().filter_map(|line| line.trim().strip_suffix(','));
    let registered = registered.filter(|line| line.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)));
    let names = lists.chain(registered).flat_map(|list| list.split(|c: char| !c.is_alphanumeric()));
    // A cache belongs to its layer.
    names.filter(|name| name.starts_with(char::is_uppercase) && !name.ends_with("Cache")).map(String::from).collect()
}

#[test]
fn every_piece_is_in_the_table() {
    let table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pieces.md")).unwrap();
    let words: BTreeSet<&str> = table.split(|c: char| !c.is_alphanumeric()).collect();
    let mut pieces = 0;
    for module in ["activation.rs", "layers.rs", "loss.rs", "optimizer.rs"] {
        let names = exported(module);
        assert!(names.len() >= 5, "{module} exports {names:?}");
        let missing = names.iter().filter(|name| !words.contains(name.as_str()));
        assert_eq!(missing.collect::<Vec<_>>(), [] as [&String; 0], "not in docs/pieces.md");
        pieces += names.len();
    }
    assert!(pieces > 40, "{pieces}");
}
