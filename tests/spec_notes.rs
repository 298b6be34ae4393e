//! The tables of SPEC_NOTES.md name files and tests that are there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All Rust sources below, with what they say.
fn sources(dir: &Path, all: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            all.push((path, text));
        }
    }
}

/// What could be a path or a name.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| !c.is_ascii_alphanumeric() && !"_:/.".contains(c)).map(|word| word.trim_matches(['.', ':']))
}

#[test]
fn every_row_names_files_and_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for dir in ["src", "tests", "fuzz"] {
        sources(&root.join(dir), &mut all);
    }
    // In which files, without their `.rs`, a word stands.
    let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
    for (path, text) in all.iter().filter(|(path, _)| !path.ends_with("tests/spec_notes.rs")) {
        let file = path.file_stem().unwrap().to_str().unwrap();
        let words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        words.chain([file]).for_each(|word| places.entry(word).or_default().push(file));
    }
    // `name`, `file::name` or `folder::file::name`: a test, or a row in the table of one.
    let is_test = |word: &str| {
        let (at, name) = word.rsplit_once("::").unwrap_or(("", word));
        let file = at.rsplit("::").find(|part| *part != "tests").unwrap_or("");
        places.get(name).is_some_and(|files| file.is_empty() || files.contains(&file))
    };
    let notes = fs::read_to_string(root.join("SPEC_NOTES.md")).unwrap();
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in notes.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [_, _, _, files, tests] = cells.as_slice() else { continue };
        if !files.contains('/') {
            continue;
        }
        rows += 1;
        let mut dir = root;
        let mut parent;
        for path in words(files).filter(|word| word.contains('/') || word.ends_with(".rs")) {
            if !root.join(path).exists() && !dir.join(path).exists() {
                wrong.push(format!("{path}: {line}"));
            }
            if path.starts_with("src") {
                parent = root.join(path.trim_end_matches(|c| c != '/'));
                dir = &parent;
            }
        }
        let is_there = |word: &str| is_test(word) || root.join(word).exists();
        wrong.extend(
            words(tests).filter(|word| word.contains('_') && !is_there(word)).map(|word| format!("{word}: {line}")),
        );
    }
    assert!(rows > 100, "{rows} rows");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
