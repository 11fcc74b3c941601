//! The rules hold for the repository itself.

use xtask::rules::RULES;
use xtask::{Tree, root};

#[test]
fn crates_depend_on_crates_below_them() {
    holds("layers");
}

#[test]
fn third_party_packages_have_owners_and_reasons() {
    holds("owners");
}

#[test]
fn licences_are_those_of_the_list() {
    holds("licences");
}

#[test]
fn files_functions_and_lines_are_short() {
    holds("sizes");
}

#[test]
fn text_is_clean() {
    holds("text");
}

#[test]
fn files_begin_with_their_public_item() {
    holds("order");
}

#[test]
fn no_file_contains_a_forbidden_word() {
    holds("words");
}

#[test]
fn crates_leave_to_others_what_is_theirs() {
    holds("absences");
}

#[test]
fn crates_have_sections_in_the_map() {
    holds("sections");
}

#[test]
fn traces_are_listed_and_specs_are_complete() {
    holds("goldens");
}

#[test]
fn every_rule_has_a_test_above() {
    let source = include_str!("tree.rs");
    for rule in RULES {
        assert!(source.contains(&format!("holds(\"{}\")", rule.name)), "{}", rule.name);
    }
}

#[track_caller]
fn holds(name: &str) {
    let rule = RULES.iter().find(|rule| rule.name == name).expect("a rule of this name exists");
    let tree = Tree::read(&root()).expect("the repository can be read");
    let violations = (rule.check)(&tree).expect("the rule can be checked");
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "expected that {}; found:\n{}", rule.fact, lines.join("\n"));
}
