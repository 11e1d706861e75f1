//! Every named equation of docs/derivation.md is cited by the code that implements it, proved by two tests or more, and
//! broken on purpose by a fault of tests/faults/run, and nothing is cited that is not there. docs/traceability.md is the
//! table of it, kept fresh: `UPDATE=1 cargo test --test traceability` writes it anew.
//!
//! A test names what it proves in a comment directly above it: `// proves eq:a, eq:b`. A fault names the equation that it
//! breaks behind its own name: `("delta without σ′ (eq:delta)", …`.

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
    faults: Vec<String>,
}

/// The names of the seeded faults, in their order.
fn faults(script: &str) -> impl Iterator<Item = &str> {
    script.lines().filter_map(|line| line.trim_start().strip_prefix("(\"")?.split('"').next())
}

/// Reads definitions, citations, proofs and faults; returns the equations in the order of the derivation, and what is
/// wrong.
fn read(derivation: &str, sources: &[(String, String)], script: &str) -> (Vec<(String, Trace)>, Vec<String>) {
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
    for fault in faults(script) {
        for name in names(fault) {
            let title = fault.split(" (eq:").next().unwrap_or(fault);
            match traces.get_mut(name) {
                Some(trace) => trace.faults.push(title.to_owned()),
                None => wrong.push(format!("tests/faults/run: `{title}` breaks eq:{name}, which is not defined")),
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
        if trace.faults.is_empty() {
            wrong.push(format!("eq:{name} is broken by no fault of tests/faults/run"));
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
        "# Traceability\n\nEach equation of [the derivation](derivation.md), the code that implements it, the tests that \
         prove it, and the faults that are seeded to see\nthem fail ([who kills which](faults.md)). Written by `UPDATE=1 \
         cargo test --test traceability`, which fails when an equation has no\ncode, fewer than two tests, or no \
         fault.\n\n| equation | code | tests | faults |\n|---|---|---|---|\n",
    );
    for (name, trace) in traced {
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join("<br>");
        let faults = trace.faults.join("<br>");
        writeln!(table, "| `eq:{name}` | {} | {} | {faults} |", list(&trace.code), list(&trace.tests)).unwrap();
    }
    table
}

fn text(root: &Path, file: &str) -> String {
    std::fs::read_to_string(root.join(file)).unwrap()
}

/// Every equation has its code, its tests and its fault, and the table says which.
#[test]
fn every_equation_has_code_two_tests_and_a_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (traced, wrong) = read(&text(root, "docs/derivation.md"), &sources(root), &text(root, "tests/faults/run"));
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

/// docs/faults.md is that of the faults there are, and each has two killers or more.
#[test]
fn every_fault_has_two_killers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (script, table) = (text(root, "tests/faults/run"), text(root, "docs/faults.md"));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
        .skip(1)
        .collect();
    let named: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(named, faults(&script).collect::<Vec<_>>(), "docs/faults.md is stale: tests/faults/run");
    assert!(rows.len() >= 100, "only {} faults", rows.len());
    for row in rows {
        assert!(row[2].split(", ").count() >= 2, "`{}` has one killer, {}", row[0], row[2]);
    }
}

/// The check itself: each kind of orphan is found, and named.
#[test]
fn orphans_are_found() {
    let derivation = "**(eq:one)**\n$x$ by `eq:one`\n**(eq:two)**\n";
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let code = file("src/a.rs", "/// (eq:one)\npub struct A;\nfn f() {\n    g(); // eq:two\n}\n");
    let proofs = "// proves eq:one, eq:two\n#[test]\nfn t() {}\n/// Doc.\n// proves eq:one\n// proves eq:two\n#[test]\nfn s() {}\n";
    let script =
        "FAULTS = [\n    (\"a sign (eq:one)\", \"src/a.rs\",\n     \"x\", \"-x\"),\n    (\"a two (eq:two)\", \"f\")\n";
    let (traced, wrong) = read(derivation, &[code.clone(), file("tests/b.rs", proofs)], script);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(traced[0].1.code.iter().collect::<Vec<_>>(), ["`src/a.rs`: `A`"]);
    assert_eq!(traced[0].1.faults, ["a sign"]);
    assert_eq!(traced[1].1.code.iter().collect::<Vec<_>>(), ["`src/a.rs`: `f`"]);
    assert_eq!(traced[1].1.tests.iter().collect::<Vec<_>>(), ["`tests/b.rs`: `s`", "`tests/b.rs`: `t`"]);

    let wrong = |derivation: &str, code: &str, tests: &str| {
        read(derivation, &[file("src/a.rs", code), file("tests/b.rs", tests)], script).1.join("\n")
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
    let wrong = |script: &str| read(derivation, &[code.clone(), file("tests/b.rs", proofs)], script).1.join("\n");
    assert_eq!(wrong(&script.replace("eq:two", "eq:one")), "eq:two is broken by no fault of tests/faults/run");
    let unknown = "tests/faults/run: `a third` breaks eq:three, which is not defined";
    assert_eq!(wrong(&format!("{script}    (\"a third (eq:three)\", \"f\")")), unknown);
}
