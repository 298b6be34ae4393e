//! The vectors: `tests/data/NAME.jsonl`, one case a line, and the file of the same name in the folder that the
//! environment variable `HOPWIRE_VECTORS` names.
//!
//! Each case is fed whole, byte by byte, and (up to 2 KiB) at every two-way split; what comes out must be the same each
//! time and as expected. One line is printed for every failing id, and one `N passed, N failed` for every file.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::json::Value;
use super::{hex, say};

/// How to play and judge one kind of vectors.
pub struct Suite<'a, T> {
    /// The file's name without its end.
    pub name: &'a str,
    /// Why a case is left out, if it is. The count for each reason is printed.
    pub skip: &'a dyn Fn(&Value) -> Option<&'static str>,
    /// The key of the input, in hex.
    pub input: &'a str,
    /// Feeds the pieces one after the other and tells all that came out, whatever the pieces were.
    pub play: &'a dyn Fn(&Value, &[&[u8]]) -> T,
    /// Compares what came out with what the case expects.
    pub judge: &'a dyn Fn(&Value, &T) -> Result<(), String>,
}

/// Runs every case of every file of the suite's name, and fails if one fails.
pub fn run<T: PartialEq + Debug>(suite: &Suite<'_, T>) {
    let mut failed = 0;
    for file in files(suite.name) {
        failed += run_file(suite, &file);
    }
    assert_eq!(failed, 0, "failing cases of {}", suite.name);
}

/// The files of that name: the project's own, and the one kept elsewhere.
pub fn files(name: &str) -> Vec<PathBuf> {
    let file = format!("{name}.jsonl");
    let own = data_folder().join(&file);
    assert!(own.is_file(), "{} is missing", own.display());
    let mut files = vec![own];
    if let Some(folder) = elsewhere() {
        let more = folder.join(&file);
        match more.is_file() {
            true => files.push(more),
            false => say(&format!("HOPWIRE_VECTORS has no {file}")),
        }
    }
    files
}

/// The cases of one file. A line that cannot be read fails the test at once.
pub fn cases(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(at, line): (usize, &str)| {
        Value::parse(line).unwrap_or_else(|error| panic!("{}:{}: {error}", file.display(), at + 1))
    };
    lines.map(parse).collect()
}

/// All vector files, in the project's folder and in the one kept elsewhere, with their names (without their end).
pub fn all() -> Vec<(String, PathBuf)> {
    let folders = [Some(data_folder()), elsewhere()];
    let paths = folders.into_iter().flatten().flat_map(|folder| {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("a folder entry").path()).collect::<Vec<_>>()
    });
    let named = paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).map(|path| {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        (name, path)
    });
    let mut all: Vec<_> = named.collect();
    all.sort();
    all
}

/// Every way in which an input is fed: the places to cut it at.
pub fn feeds(len: usize) -> Vec<Vec<usize>> {
    let mut feeds = vec![vec![]];
    if len > 1 {
        feeds.push((1..len).collect());
    }
    if len <= SPLIT_LIMIT {
        feeds.extend((1..len).map(|at| vec![at]));
    }
    feeds
}

/// `bytes` cut at `cuts`.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

/// Whether these are the fields that are wanted, in the same order.
pub fn is_fields(want: &Value, got: &[(String, Vec<u8>)]) -> bool {
    let got: Vec<(&str, String)> = got.iter().map(|(name, value)| (name.as_str(), hex(value))).collect();
    let is_field = |(pair, (name, value)): (&Value, &(&str, String))| matches!(pair.items(), [n, v] if n.as_str() == Some(name) && v.as_str() == Some(value));
    want.items().len() == got.len() && want.items().iter().zip(&got).all(is_field)
}

/// Inputs longer than this are not fed at every split.
pub const SPLIT_LIMIT: usize = 2048;

fn run_file<T: PartialEq + Debug>(suite: &Suite<'_, T>, file: &Path) -> usize {
    let (mut passed, mut failed) = (0, 0);
    let mut skipped: Vec<(&str, usize)> = Vec::new();
    for case in cases(file) {
        if let Some(reason) = (suite.skip)(&case) {
            match skipped.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => skipped.push((reason, 1)),
            }
            continue;
        }
        match check(suite, &case) {
            Ok(()) => passed += 1,
            Err(why) => {
                failed += 1;
                say(&format!("{}.jsonl: {}: {why}", suite.name, case.text("id")));
            }
        }
    }
    for (reason, count) in &skipped {
        say(&format!("{}.jsonl: {count} left out: {reason}", suite.name));
    }
    let skipped: usize = skipped.iter().map(|(_, count)| count).sum();
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    say(&format!("{}.jsonl: {passed} passed, {failed} failed{skipped}", suite.name));
    failed
}

fn check<T: PartialEq + Debug>(suite: &Suite<'_, T>, case: &Value) -> Result<(), String> {
    let input = case.bytes(suite.input).ok_or("no input")?;
    let mut whole: Option<T> = None;
    for cuts in feeds(input.len()) {
        let how = || match cuts.as_slice() {
            [] => "whole".to_owned(),
            [at] => format!("split at {at}"),
            _ => "byte by byte".to_owned(),
        };
        let play = || (suite.play)(case, &pieces(&input, &cuts));
        let told = catch_unwind(AssertUnwindSafe(play)).map_err(|_| format!("{}: panicked", how()))?;
        match &whole {
            None => {
                (suite.judge)(case, &told).map_err(|why| format!("{}: {why}", how()))?;
                whole = Some(told);
            }
            Some(whole) if *whole != told => return Err(format!("{}: {told:?} but whole: {whole:?}", how())),
            Some(_) => {}
        }
    }
    Ok(())
}

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn elsewhere() -> Option<PathBuf> {
    env::var_os("HOPWIRE_VECTORS").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}
