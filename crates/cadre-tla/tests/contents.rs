//! What SANY says about modules.

use std::fs;
use std::path::Path;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Contents, Find, Head, Level, TlaError, find};

fn contents(directory: &Path, module: &str) -> Result<Contents, TlaError> {
    let tlc = find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is found");
    tlc.contents(directory, module, &Stop::new())
}

fn of_text(text: &str) -> Result<Contents, TlaError> {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let text = format!("---- MODULE M ----\n{text}====\n");
    fs::write(directory.path().join("M.tla"), text).expect("the module is written");
    contents(directory.path(), "M")
}

const MODULE: &str = "\
EXTENDS Naturals
CONSTANTS B, F(_), A
VARIABLES y, x
Up(a, b(_)) == x' = a /\\ y' = b(a)
Small == x < 3
One == [kind |-> \"one\"]
Next == \\E a \\in 1..2, c \\in A : Up(a, F) \\/ UNCHANGED <<x, y>>
Spec == x = 1 /\\ y = 1 /\\ [][Next]_<<x, y>>
";

#[test]
fn constants_variables_and_definitions_are_read() {
    let contents = of_text(MODULE).expect("the module parses");
    assert_eq!(contents.module, "M");
    let constants: Vec<_> = contents.constants.iter().map(|c| (c.name.as_str(), c.arity)).collect();
    assert_eq!(constants, [("B", 0), ("F", 1), ("A", 0)]);
    let variables: Vec<_> = contents.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(variables, ["y", "x"]);
    let definitions: Vec<_> =
        contents.definitions.iter().map(|d| (d.name.as_str(), d.level)).collect();
    assert_eq!(
        definitions,
        [
            ("Up", Level::Action),
            ("Small", Level::State),
            ("One", Level::Constant),
            ("Next", Level::Action),
            ("Spec", Level::Temporal),
        ]
    );
    assert_eq!(contents.definition("Up").expect("it is defined").parameters, ["a", "b"]);
}

#[test]
fn the_shape_and_the_text_of_expressions_are_read() {
    let contents = of_text(MODULE).expect("the module parses");
    let next = &contents.definition("Next").expect("it is defined").body;
    let [(first, one_two), (second, set)] = next.bounds.as_slice() else {
        panic!("{next:?}");
    };
    assert_eq!(
        (first.as_slice(), second.as_slice()),
        (["a".to_owned()].as_slice(), ["c".to_owned()].as_slice())
    );
    let text = format!("---- MODULE M ----\n{MODULE}");
    let domain = one_two.as_ref().expect("it is bounded");
    assert_eq!(domain.place.text(&text), "1..2");
    assert_eq!(set.as_ref().map(|set| &set.head), Some(&Head::Declared("A".to_owned())));
    let call = &next.operands[0].operands[0];
    assert_eq!(call.head, Head::Defined("Up".to_owned()));
    assert_eq!(call.operands[0].head, Head::Parameter("a".to_owned()));
}

#[test]
fn a_module_that_does_not_parse_is_an_error_with_its_line() {
    for (text, line) in [("VARIABLE x,\n", 3), ("VARIABLE x\nInit == y = 1\n", 3)] {
        match of_text(text) {
            Err(TlaError::Parse { file, line: found, .. }) => {
                assert_eq!((file.as_str(), found), ("M.tla", Some(line)), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_module_that_is_not_there_is_an_error() {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let error = contents(directory.path(), "M").expect_err("there is none");
    assert!(matches!(error, TlaError::Parse { .. }), "{error}");
}

#[test]
fn what_is_instantiated_is_not_declared_here() {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let write = |name: &str, text: &str| {
        let text = format!("---- MODULE {name} ----\n{text}====\n");
        fs::write(directory.path().join(format!("{name}.tla")), text).expect("it is written");
    };
    write("Base", "EXTENDS Naturals\nVARIABLE y\nBoth == y = 2\n");
    write("Abstract", "EXTENDS Naturals\nCONSTANT C\nVARIABLE h\nInit == h = C\nOnly == h = 0\n");
    let text = "EXTENDS Base\nVARIABLE x\nInit == x = 1\n\
                A == INSTANCE Abstract WITH h <- x, C <- 1\nRefines == A!Init\n";
    write("M", text);
    let contents = contents(directory.path(), "M").expect("it parses");
    let variables: Vec<&str> = contents.variables.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(variables, ["y", "x"]);
    assert_eq!(contents.constants, []);
    assert_eq!(contents.definition("Init").expect("it is there").place.module, "M");
}
