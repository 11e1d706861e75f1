//! Every named equation of docs/derivation.md is cited by the code that implements it and proved by two tests or more,
//! and nothing is cited that is not there. docs/traceability.md is the table of it, kept fresh: `UPDATE=1 cargo test
//! --test traceability` writes it anew.
//!
//! A test names what it proves in a comment directly above it: `// proves eq:a, eq:b`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The files of a folder with this ending, and of the folders in it, in the order of their names.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found
}

/// The names `eq:…` in a line.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("eq:").filter_map(|(at, _)| {
        // Not the end of a longer word.
        if line[..at].ends_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let name = &line[at + 3..];
        let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(name.len());
        (end > 0).then(|| name[..end].trim_end_matches('-'))
    })
}

/// The item that a line of code begins: `step` for a function, `impl Layer<X> for Gain` for an implementation.
fn item(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "$vis"];
    let keyword = words.find(|w| !modifiers.contains(w))?;
    if keyword.starts_with("impl<") || keyword == "impl" {
        // Its own parameters are of no interest.
        let mut depth = 0;
        let rest = line.trim_start().trim_start_matches("impl");
        let end = rest.find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        })?;
        let header = rest[end..].trim_start_matches('>').split(" {").next()?.trim();
        return Some(format!("impl {}", header.trim_end_matches(" where")));
    }
    if !["fn", "struct", "enum", "trait", "mod"].contains(&keyword) {
        return None;
    }
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(name.len());
    (end > 0).then(|| name[..end].to_owned())
}

/// The item to which a citation at line `at` belongs: what a comment above an item describes, or else the function
/// around it.
fn cited_by(lines: &[&str], at: usize) -> String {
    if lines[at].trim_start().starts_with("///") {
        // Behind the rest of the comment and its attributes.
        if let Some(item) = lines[at..].iter().filter(|l| !l.trim_start().starts_with("//")).find_map(|l| item(l)) {
            return item;
        }
    }
    lines[..at].iter().rev().filter(|l| !l.trim_start().starts_with("//")).find_map(|l| item(l)).unwrap_or_default()
}

#[derive(Default)]
struct Trace {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
}

/// Reads definitions, citations and proofs; returns the equations in the order of the derivation, and what is wrong.
fn read(derivation: &str, sources: &[(String, String)]) -> (Vec<(String, Trace)>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut traces = BTreeMap::<String, Trace>::new();
    let mut order = Vec::new();
    for line in derivation.lines() {
        if let Some(name) = line.strip_prefix("**(eq:").and_then(|rest| rest.split(')').next()) {
            if traces.insert(name.to_owned(), Trace::default()).is_some() {
                wrong.push(format!("eq:{name} is defined twice"));
            }
            order.push(name.to_owned());
        }
    }
    for (number, line) in (1..).zip(derivation.lines()) {
        for name in names(line).filter(|name| !traces.contains_key(*name)) {
            wrong.push(format!("docs/derivation.md:{number} cites eq:{name}, which it does not define"));
        }
    }
    for (file, text) in sources {
        let lines: Vec<&str> = text.lines().collect();
        let mut proved: Vec<&str> = Vec::new();
        let mut is_test = false;
        for (at, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            if let Some(list) = trimmed.strip_prefix("// proves ") {
                proved.extend(names(list));
                continue;
            }
            is_test |= trimmed.starts_with("#[test]");
            if !proved.is_empty() && !trimmed.starts_with("//") && !trimmed.starts_with("#[") {
                let function = item(line).unwrap_or_default();
                if !is_test || !trimmed.contains("fn ") {
                    wrong.push(format!("{file}:{}: a proof of eq:{} that is no test", at + 1, proved.join(", eq:")));
                }
                for name in proved.drain(..) {
                    match traces.get_mut(name) {
                        Some(trace) => _ = trace.tests.insert(format!("`{file}`: `{function}`")),
                        None => wrong.push(format!("{file}: `{function}` proves eq:{name}, which is not defined")),
                    }
                }
            }
            is_test &= trimmed.starts_with("//") || trimmed.starts_with("#[");
            if file.starts_with("src") {
                for name in names(line) {
                    match traces.get_mut(name) {
                        Some(trace) => _ = trace.code.insert(format!("`{file}`: `{}`", cited_by(&lines, at))),
                        None => wrong.push(format!("{file}:{} cites eq:{name}, which is not defined", at + 1)),
                    }
                }
            }
        }
    }
    for (name, trace) in &traces {
        if trace.code.is_empty() {
            wrong.push(format!("eq:{name} is cited by no code"));
        }
        if trace.tests.len() < 2 {
            wrong.push(format!("eq:{name} is proved by {} tests; it takes two", trace.tests.len()));
        }
    }
    let traced = order.into_iter().filter_map(|name| traces.remove_entry(&name)).collect();
    (traced, wrong)
}

fn sources(root: &Path) -> Vec<(String, String)> {
    ["src", "tests"]
        .iter()
        .flat_map(|folder| files(&root.join(folder), "rs"))
        // The examples in this file are none.
        .filter(|path| !path.ends_with("traceability.rs"))
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn table(traced: &[(String, Trace)]) -> String {
    let mut table = String::from(
        "# Traceability\n\nEach equation of [the derivation](derivation.md), the code that implements it, and the tests \
         that prove it. Written by\n`UPDATE=1 cargo test --test traceability`, which fails when an equation has no code \
         or fewer than two tests.\n\n| equation | code | tests |\n|---|---|---|\n",
    );
    for (name, trace) in traced {
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join("<br>");
        writeln!(table, "| `eq:{name}` | {} | {} |", list(&trace.code), list(&trace.tests)).unwrap();
    }
    table
}

/// Every equation has its code and its tests, and the table says which.
#[test]
fn every_equation_has_code_and_two_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let derivation = std::fs::read_to_string(root.join("docs/derivation.md")).unwrap();
    let (traced, wrong) = read(&derivation, &sources(root));
    assert!(traced.len() >= 30, "only {} equations were found", traced.len());
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
    let (path, table) = (root.join("docs/traceability.md"), table(&traced));
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        std::fs::write(&path, &table).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = found.lines().zip(table.lines()).find(|(found, fresh)| found != fresh);
    assert!(found == table, "docs/traceability.md is stale, at {stale:?}: UPDATE=1 cargo test --test traceability");
}

/// The check itself: each kind of orphan is found, and named.
#[test]
fn orphans_are_found() {
    let derivation = "**(eq:one)**\n$x$ by `eq:one`\n**(eq:two)**\n";
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let code = file("src/a.rs", "/// (eq:one)\npub struct A;\nfn f() {\n    g(); // eq:two\n}\n");
    let proofs = "// proves eq:one, eq:two\n#[test]\nfn t() {}\n/// Doc.\n// proves eq:one\n// proves eq:two\n#[test]\nfn s() {}\n";
    let (traced, wrong) = read(derivation, &[code.clone(), file("tests/b.rs", proofs)]);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(traced[0].1.code.iter().collect::<Vec<_>>(), ["`src/a.rs`: `A`"]);
    assert_eq!(traced[1].1.code.iter().collect::<Vec<_>>(), ["`src/a.rs`: `f`"]);
    assert_eq!(traced[1].1.tests.iter().collect::<Vec<_>>(), ["`tests/b.rs`: `s`", "`tests/b.rs`: `t`"]);

    let wrong = |derivation: &str, code: &str, tests: &str| {
        read(derivation, &[file("src/a.rs", code), file("tests/b.rs", tests)]).1.join("\n")
    };
    let both = "// eq:one eq:two";
    assert_eq!(wrong(derivation, "// eq:one", proofs), "eq:two is cited by no code");
    assert_eq!(
        wrong(derivation, &format!("{both}\n// eq:three"), proofs),
        "src/a.rs:2 cites eq:three, which is not defined"
    );
    assert!(wrong(derivation, both, &proofs.replacen("eq:two", "eq:one", 1)).contains("eq:two is proved by 1 tests"));
    assert!(
        wrong(derivation, both, &format!("{proofs}// proves eq:no\n#[test]\nfn u() {{}}")).contains("`u` proves eq:no")
    );
    assert!(wrong(derivation, both, &proofs.replace("#[test]", "")).contains("no test"));
    assert!(wrong(&format!("{derivation}`eq:four`"), both, proofs).contains("cites eq:four, which it does not define"));
    assert!(wrong(&derivation.repeat(2), both, proofs).contains("eq:one is defined twice"));
}
