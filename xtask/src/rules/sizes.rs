use anyhow::Result;

use super::is_test_file;
use crate::rust::{functions, mask, tests_begin, tokens};
use crate::{Tree, Violation};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const WIDTH_MAX: usize = 100;

/// Tests may be long: they are read one at a time. Their lines may not be wide, but for the texts
/// that they expect word by word.
pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (path, text) in tree.ending(".rs").chain(tree.ending(".tla")) {
        violations.extend(wide_lines(path, text));
    }
    for (path, text) in tree.ending(".rs").filter(|(path, _)| !is_test_file(path)) {
        violations.extend(long_parts(path, text));
    }
    Ok(violations)
}

fn wide_lines(path: &str, text: &str) -> Vec<Violation> {
    let code = mask(text);
    let is_test = is_test_file(path);
    text.lines()
        .zip(code.lines())
        .zip(1..)
        .filter_map(|((text, code), line)| {
            let width = text.chars().count();
            let is_literal = code.trim().is_empty() && !text.trim_start().starts_with("//");
            (width > WIDTH_MAX && !(is_test && is_literal)).then(|| {
                let what = format!("expected a width of {WIDTH_MAX} at most, found {width}");
                Violation::at(path, line, what)
            })
        })
        .collect()
}

fn long_parts(path: &str, text: &str) -> Vec<Violation> {
    let code = mask(text);
    let tokens = tokens(&code);
    let tests = tests_begin(&tokens);
    let lines = tests.map_or(text.lines().count(), |line| line - 1);
    let mut violations = Vec::new();
    if lines > FILE_LINES_MAX {
        let what = format!(
            "expected {FILE_LINES_MAX} lines at most before the tests, found {lines}; \
             split off a part that has a name"
        );
        violations.push(Violation::of(path, what));
    }
    for function in functions(&tokens) {
        let is_tested = tests.is_none_or(|tests| function.begin < tests);
        if is_tested && function.lines() > FUNCTION_LINES_MAX {
            let what = format!(
                "expected functions of {FUNCTION_LINES_MAX} lines at most, \
                 found `{}` with {}; split off a part that has a name",
                function.name,
                function.lines()
            );
            violations.push(Violation::at(path, function.begin, what));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of([(path, text)])).unwrap().len()
    }

    #[test]
    fn a_wide_line_is_found_unless_a_test_expects_it_word_by_word() {
        let wide = "x".repeat(101);
        let text = format!("const TEXT: &str = r#\"\n{wide}\n\"#;\n");
        assert_eq!(found("crates/a/src/lib.rs", &text), 1);
        assert_eq!(found("crates/a/tests/a.rs", &text), 0);
        assert_eq!(found("crates/a/tests/a.rs", &format!("// {wide}\n")), 1);
    }

    #[test]
    fn a_long_file_is_found_unless_its_tests_are_long() {
        let long = "// line\n".repeat(601);
        assert_eq!(found("crates/a/src/lib.rs", &long), 1);
        assert_eq!(found("crates/a/src/lib.rs", &long[8..]), 0);
        assert_eq!(found("crates/a/tests/all.rs", &long), 0);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", &long[8..]);
        assert_eq!(found("crates/a/src/lib.rs", &tested), 0);
    }

    #[test]
    fn a_long_function_is_found_unless_it_is_a_test() {
        let long = format!("fn f() {{\n{}}}\n", "g(\"}\");\n".repeat(69));
        assert_eq!(found("crates/a/src/lib.rs", &long), 1);
        assert_eq!(found("crates/a/src/lib.rs", &long.replacen("g(\"}\");\n", "", 1)), 0);
        let tested = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(found("crates/a/src/lib.rs", &tested), 0);
    }

    #[test]
    fn a_wide_line_is_found_in_code_tests_and_specs() {
        for path in ["crates/a/src/lib.rs", "crates/a/tests/all.rs", "tla/A/A.tla"] {
            assert_eq!(found(path, &format!("// {}\n", "ä".repeat(98))), 1);
            assert_eq!(found(path, &format!("// {}\n", "ä".repeat(97))), 0);
        }
    }
}
