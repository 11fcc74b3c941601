use anyhow::Result;

use super::is_test_file;
use crate::rust::{PathUse, Token, mask, path_uses, tests_begin, tokens};
use crate::{Tree, Violation};

/// Something that is some crates' to do.
struct Duty {
    what: &'static str,
    trace: Trace,
    places: Places,
    /// Whether tests too must leave it to them.
    binds_tests: bool,
}

/// How it is seen in code.
enum Trace {
    /// By a path that contains one of these sequences of names.
    Path(&'static [&'static [&'static str]]),
    /// By a path that begins with one of these names.
    Root(&'static [&'static str]),
    /// By one of these macros.
    Macro(&'static [&'static str]),
    /// By an attribute of one of these names, also behind a condition.
    Attribute(&'static [&'static str]),
}

/// Which packages, or parts of one, it concerns, by their folders.
enum Places {
    /// All but these.
    AllBut(&'static [&'static str]),
    /// These alone.
    Only(&'static [&'static str]),
}

const DUTIES: [Duty; 9] = [
    Duty {
        what: "start processes through cadre-process",
        trace: Trace::Path(&[&["process", "Command"]]),
        places: Places::AllBut(&["crates/cadre-process"]),
        binds_tests: true,
    },
    Duty {
        what: "start processes through cadre-process",
        trace: Trace::Root(&["duct", "os_pipe"]),
        places: Places::AllBut(&["crates/cadre-process"]),
        binds_tests: true,
    },
    Duty {
        what: "leave printing to the command",
        trace: Trace::Macro(&["print", "println", "eprint", "eprintln"]),
        places: Places::AllBut(&["crates/cadre-cli", "crates/cadre-app", "bench", "xtask"]),
        binds_tests: true,
    },
    Duty {
        what: "leave printing to the command",
        trace: Trace::Path(&[&["io", "stdout"], &["io", "stderr"]]),
        places: Places::AllBut(&["crates/cadre-cli", "crates/cadre-app", "bench", "xtask"]),
        binds_tests: true,
    },
    Duty {
        what: "take time as an argument",
        trace: Trace::Path(&[&["Instant", "now"], &["SystemTime", "now"]]),
        places: Places::AllBut(&[
            "crates/cadre-runtime",
            "crates/cadre-replay",
            "crates/cadre-process",
            "crates/cadre-cli",
            "crates/cadre-tla",
            "bench",
        ]),
        binds_tests: false,
    },
    Duty {
        what: "leave sockets to cadre-runtime, cadre-replay and the sharing of a search in cadre",
        // Addresses are data; what is bound and connected is not.
        trace: Trace::Path(&[
            &["net", "TcpListener"],
            &["net", "TcpStream"],
            &["net", "UdpSocket"],
            &["net", "ToSocketAddrs"],
        ]),
        places: Places::AllBut(&[
            "crates/cadre-runtime",
            "crates/cadre-replay",
            "crates/cadre/src/sharing",
            // Its sockets are those of another simulator.
            "bench/simulators",
        ]),
        binds_tests: false,
    },
    Duty {
        what: "touch no files in this crate",
        trace: Trace::Path(&[&["std", "fs"]]),
        places: Places::Only(&[
            "crates/cadre-step",
            "crates/cadre-trace",
            "crates/cadre-model",
            "crates/cadre-explore",
            "crates/cadre-view",
        ]),
        binds_tests: false,
    },
    Duty {
        what: "use `#[expect(lint, reason = \"…\")]`, which goes when the lint no longer fires",
        trace: Trace::Attribute(&["allow"]),
        places: Places::AllBut(&[]),
        binds_tests: true,
    },
    Duty {
        what: "let every test run, and assert on the error it expects",
        trace: Trace::Attribute(&["ignore", "should_panic"]),
        places: Places::AllBut(&[]),
        binds_tests: true,
    },
];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let sources = tree.ending(".rs").filter(|(path, _)| !path.contains("/examples/"));
    Ok(sources.flat_map(|(path, text)| judge(path, text)).collect())
}

fn judge(path: &str, text: &str) -> Vec<Violation> {
    let code = mask(text);
    let tokens = tokens(&code);
    let paths = path_uses(&tokens);
    let tests = if is_test_file(path) { Some(1) } else { tests_begin(&tokens) };
    let mut violations = Vec::new();
    for duty in DUTIES.iter().filter(|duty| duty.places.contain(path)) {
        for (line, found) in duty.trace.find(&tokens, &paths) {
            if duty.binds_tests || tests.is_none_or(|tests| line < tests) {
                let what = format!("found `{found}`; {}", duty.what);
                violations.push(Violation::at(path, line, what));
            }
        }
    }
    violations
}

impl Places {
    fn contain(&self, path: &str) -> bool {
        let is_in = |folder: &&str| path.strip_prefix(folder).is_some_and(|p| p.starts_with('/'));
        match self {
            Self::AllBut(folders) => !folders.iter().any(is_in),
            Self::Only(folders) => folders.iter().any(is_in),
        }
    }
}

impl Trace {
    /// The lines in which it is seen, and what is seen there.
    fn find(&self, tokens: &[Token<'_>], paths: &[PathUse<'_>]) -> Vec<(usize, String)> {
        match self {
            Self::Path(wanted) => {
                matching(paths, |path| wanted.iter().any(|names| path.contains(names)))
            }
            Self::Root(wanted) => matching(paths, |path| wanted.contains(&path.names[0])),
            Self::Macro(wanted) => tokens
                .windows(2)
                .filter(|pair| wanted.contains(&pair[0].text) && pair[1].text == "!")
                .map(|pair| (pair[0].line, format!("{}!", pair[0].text)))
                .collect(),
            Self::Attribute(wanted) => attributes(tokens)
                .filter(|token| wanted.contains(&token.text))
                .map(|token| (token.line, format!("#[{}]", token.text)))
                .collect(),
        }
    }
}

fn matching(paths: &[PathUse<'_>], holds: impl Fn(&PathUse<'_>) -> bool) -> Vec<(usize, String)> {
    let matching = paths.iter().filter(|path| holds(path));
    matching.map(|path| (path.line, path.names.join("::"))).collect()
}

/// The names of attributes: the word after `#[` or `#![`, and those in a `cfg_attr` that follow a
/// comma at its own depth.
fn attributes<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = &'a Token<'a>> {
    (0..tokens.len()).flat_map(move |position| {
        let text = |offset: usize| tokens.get(position + offset).map(|token| token.text);
        let name = match (text(0), text(1), text(2)) {
            (Some("#"), Some("["), Some(_)) => position + 2,
            (Some("#"), Some("!"), Some("[")) => position + 3,
            _ => return Vec::new(),
        };
        let mut names: Vec<&Token<'_>> = tokens.get(name).into_iter().collect();
        if names.first().is_some_and(|token| token.text == "cfg_attr") {
            names.extend(conditional(&tokens[name + 1..]));
        }
        names
    })
}

fn conditional<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a Token<'a>> {
    let mut depth = 0_usize;
    let mut names = Vec::new();
    for pair in tokens.windows(2) {
        match pair[0].text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 1 => names.push(&pair[1]),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of([(path, text)])).unwrap().len()
    }

    /// The text is a violation in the first file and none in the second.
    fn told_apart(text: &str, elsewhere: &str, at_home: &str) {
        assert!(found(elsewhere, text) > 0, "{elsewhere}: {text}");
        assert_eq!(found(at_home, text), 0, "{at_home}: {text}");
    }

    #[test]
    fn processes_are_started_in_one_crate() {
        let home = "crates/cadre-process/src/a.rs";
        told_apart("use std::process::Command;", "crates/cadre-tla/src/a.rs", home);
        told_apart("use std::{fs, process::{Command, Stdio}};", "tests/tests/a.rs", home);
        told_apart("fn f() { duct::cmd!(\"ls\"); }", "xtask/src/a.rs", home);
        assert_eq!(found("crates/cadre-tla/src/a.rs", "// duct::cmd\nfn f(duct: u8) {}"), 0);
        assert_eq!(found("crates/cadre-cli/src/a.rs", "use clap::Command;"), 0);
    }

    #[test]
    fn printing_is_left_to_the_command() {
        for text in ["fn f() { println!(); }", "fn f() { eprint!(\"a\") }", "use std::io::stdout;"]
        {
            told_apart(text, "crates/cadre-view/src/a.rs", "crates/cadre-cli/src/a.rs");
            told_apart(text, "crates/cadre/tests/a.rs", "xtask/src/main.rs");
            told_apart(text, "tests/tests/a.rs", "bench/src/a.rs");
        }
        assert_eq!(found("crates/cadre-view/src/a.rs", "/// println!(\"documentation\")"), 0);
    }

    #[test]
    fn clocks_sockets_and_files_stay_where_they_belong() {
        let clock = "fn f() { std::time::Instant::now(); }";
        told_apart(clock, "crates/cadre-explore/src/a.rs", "crates/cadre-tla/src/a.rs");
        told_apart(clock, "crates/cadre-explore/src/a.rs", "crates/cadre-explore/tests/a.rs");
        told_apart(clock, "crates/cadre-explore/src/a.rs", "bench/src/a.rs");
        let socket = "use std::net::TcpStream;";
        told_apart(socket, "crates/cadre-cli/src/a.rs", "crates/cadre-runtime/src/a.rs");
        told_apart(socket, "crates/cadre/src/a.rs", "crates/cadre/src/sharing/a.rs");
        let file = "use std::{fs, io};";
        told_apart(file, "crates/cadre-model/src/a.rs", "crates/cadre-tla/src/a.rs");
        let test = "#[cfg(test)]\nmod tests { use std::fs; }";
        assert_eq!(found("crates/cadre-model/src/a.rs", test), 0);
    }

    #[test]
    fn attributes_that_hide_something_are_found() {
        let hidden = [
            "#[allow(dead_code)]\nfn f() {}",
            "#![allow(dead_code)]",
            "#[cfg_attr(all(a, b), allow(dead_code))]\nfn f() {}",
            "#[test]\n#[ignore]\nfn f() {}",
            "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
            "#[test]\n#[should_panic(expected = \"a\")]\nfn f() {}",
        ];
        for text in hidden {
            assert_eq!(found("crates/cadre-step/tests/a.rs", text), 1, "{text}");
        }
        let open = "#[expect(dead_code, reason = \"allow, ignore\")]\nfn ignore() { allow(); }";
        assert_eq!(found("crates/cadre-step/tests/a.rs", open), 0);
    }
}
