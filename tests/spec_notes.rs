//! The tables of SPEC_NOTES.md say the truth: the files they name are there, and so are the tests, where they say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Every function of the sources, tests and fuzz bodies, with the names of the files (without `.rs`) it is in.
fn functions(dir: &Path, all: &mut HashMap<String, Vec<String>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let file = path.file_stem().unwrap().to_str().unwrap();
            for rest in fs::read_to_string(&path).unwrap().split("fn ").skip(1) {
                let name = rest.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next().unwrap();
                all.entry(name.to_owned()).or_default().push(file.to_owned());
            }
        }
    }
}

/// What could be a path or the name of a function.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| !c.is_ascii_alphanumeric() && !"_:/.".contains(c)).map(|word| word.trim_matches(['.', ':']))
}

#[test]
fn every_row_names_files_and_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = HashMap::new();
    for dir in ["src", "tests", "fuzz/bodies"] {
        functions(&root.join(dir), &mut all);
    }
    let notes = fs::read_to_string(root.join("SPEC_NOTES.md")).unwrap();
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in notes.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [.., file, test] = cells.as_slice() else { continue };
        if cells.len() != 5 || !file.contains('/') {
            continue;
        }
        rows += 1;
        let mut dir = Path::new("");
        for path in words(file).filter(|word| word.contains('/') || word.ends_with(".rs")).map(Path::new) {
            let is_there = [Path::new(""), dir].iter().any(|dir| root.join(dir).join(path).exists());
            if !is_there {
                wrong.push(format!("{}: {line}", path.display()));
            }
            if path.starts_with("src") {
                dir = if path.extension().is_some() { path.parent().unwrap() } else { path };
            }
        }
        for word in words(test).filter(|word| word.contains('_')) {
            let (file, name) = word.rsplit_once("::").unwrap_or(("", word));
            let file = file.rsplit_once("::").map_or(file, |(_, last)| last);
            let is_there =
                all.get(name).is_some_and(|files| matches!(file, "" | "tests") || files.iter().any(|f| f == file));
            let is_file = root.join(word).exists() || root.join(format!("fuzz/bodies/{word}.rs")).exists();
            if !is_there && !is_file && !root.join(format!("fuzz/fuzz_targets/{word}.rs")).exists() {
                wrong.push(format!("{word}: {line}"));
            }
        }
    }
    assert!(rows > 100, "{rows} rows");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
