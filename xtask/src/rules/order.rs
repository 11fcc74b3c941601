use anyhow::Result;

use super::is_test_file;
use crate::rust::{Item, items, mask, tokens};
use crate::{Tree, Violation};

/// What may stand before the first item: it is read in passing.
const PREAMBLE: [&str; 6] = ["use", "mod", "const", "static", "extern", "macro_rules"];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let sources = tree.ending(".rs").filter(|(path, _)| {
        path.starts_with("crates/") && path.contains("/src/") && !is_test_file(path)
    });
    Ok(sources.filter_map(|(path, text)| judge(path, text)).collect())
}

fn judge(path: &str, text: &str) -> Option<Violation> {
    let code = mask(text);
    let tokens = tokens(&code);
    let items = items(&tokens);
    let mut items = items.iter().filter(|item| !is_preamble(item));
    let first = items.next()?;
    if is_public(first) || !items.any(is_public) {
        return None;
    }
    let words: Vec<&str> = first.head.iter().take(3).map(|token| token.text).collect();
    let what = format!(
        "expected the file to begin with its public item, found `{} …`; \
         put helpers below what calls them",
        words.join(" ")
    );
    Some(Violation::at(path, first.head.first()?.line, what))
}

/// An `impl` is public if something in it is.
fn is_public(item: &Item<'_, '_>) -> bool {
    let is_pub = |text: &str| text == "pub";
    match item.head.first().map(|token| token.text) {
        Some("impl") => item.body.iter().any(|token| is_pub(token.text)),
        Some(text) => is_pub(text),
        None => false,
    }
}

fn is_preamble(item: &Item<'_, '_>) -> bool {
    let mut words = item.head.iter().map(|token| token.text).skip_while(|text| *text == "pub");
    let Some(first) = words.next() else { return true };
    // `const fn` and `extern "C" fn` are functions like others, and `extern "C" { … }` is not.
    PREAMBLE.contains(&first) && !item.head.iter().any(|token| token.text == "fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        check(&Tree::of([("crates/a/src/b.rs", text)])).unwrap().is_empty()
    }

    #[test]
    fn a_file_begins_with_its_public_item() {
        assert!(holds(
            "//! A.\nuse a::{b};\nmod c;\nconst D: [u8; 1] = [1];\npub fn e() {}\nfn f() {}"
        ));
        assert!(holds("#[derive(Debug)]\npub(crate) struct A { b: u8 }\nfn c() {}\n"));
        assert!(holds("fn main() {}\nfn helper() {}\n"));
        assert!(holds("pub use a::b;\nmod a;\n"));
        assert!(holds("impl A { pub fn b() {} }\npub fn c() {}\n"));
        assert!(holds(""));
    }

    #[test]
    fn a_helper_before_the_public_item_is_found() {
        assert!(!holds("fn helper() {}\npub fn f() {}\n"));
        assert!(!holds("use a::b;\nconst fn helper() {}\npub fn f() {}\n"));
        assert!(!holds("struct A;\npub struct B(A);\n"));
        assert!(!holds("impl A for B { fn b() {} }\npub fn c() {}\n"));
    }

    #[test]
    fn only_sources_of_crates_are_held_to_it() {
        let text = "fn helper() {}\npub fn f() {}\n";
        let tree = Tree::of([("xtask/src/a.rs", text), ("crates/a/src/tests.rs", text)]);
        assert!(check(&tree).unwrap().is_empty());
    }
}
