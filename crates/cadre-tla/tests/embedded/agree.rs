//! What both engines say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Embedded, Engine, Lasso, Run, Simulation, TlaError, Value, Verdict};
use expect_test::expect;

use crate::support::{Files, agreed, files, run, told, write};

const COUNTER: &str = "\
EXTENDS Naturals, Sequences, FiniteSets, TLC
VARIABLES x, y
vars == <<x, y>>
Table == <<3, 1, 2>>
Largest == CHOOSE n \\in {Table[i] : i \\in DOMAIN Table} : \\A i \\in DOMAIN Table : n >= Table[i]
Init == x = 1 /\\ y = [a |-> {}, b |-> <<>>]
Up == x < Largest + 1 /\\ x' = x + 1 /\\ y' = [y EXCEPT !.a = @ \\cup {x}]
Again == x > 2 /\\ x' = 2 /\\ UNCHANGED y
Next == Up \\/ Again
Spec == Init /\\ [][Next]_vars /\\ WF_vars(Up)
Small == x < 3
Few == Cardinality(y.a) < 3
Show == PrintT(<<\"seen\", x, y>>)
Forward == [][x' > x]_vars
Positive == [](x > 0)
Arrives == <>(x = 4)
Leaves == <>(x # 1)
Stays == <>[](x = 4)
Returns == [](x = 4 => <>(x = 2))
Begins == x = 2
";

fn counter(config: &str) -> String {
    agreed(&files(COUNTER, config), |_| {}).1
}

#[test]
fn invariants_properties_and_counts_are_those_of_tlc() {
    let of = |what: &str| counter(&format!("SPECIFICATION Spec\n{what}\n"));
    let expected = [
        ("INVARIANT Show", "holds, 7 states, depth 6"),
        ("INVARIANT Few", "Few is violated after 4 states"),
        ("INVARIANTS Show Small", "Small is violated after 3 states"),
        ("PROPERTY Forward", "property Forward is violated after 4 states"),
        ("PROPERTY Positive", "holds, 7 states, depth 6"),
        ("PROPERTY Arrives", "a temporal property is violated"),
        ("PROPERTY Leaves", "holds, 7 states, depth 6"),
        ("PROPERTY Stays", "a temporal property is violated"),
        ("PROPERTY Returns", "a temporal property is violated"),
        ("PROPERTY Begins", "property Begins is violated after 1 states"),
    ];
    for (what, words) in expected {
        let found = of(what);
        assert!(found.starts_with(words), "{what}: {found}");
    }
}

#[test]
fn a_behaviour_without_end_says_where_and_by_what_it_goes_back() {
    let lasso = |property: &str| {
        let files = files(COUNTER, &format!("SPECIFICATION Spec\nPROPERTY {property}\n"));
        let outcome = agreed(&files, |_| {}).0.outcome;
        let values = outcome.behaviour.iter().map(|state| state.variables["x"].to_string());
        (values.collect::<Vec<_>>().join(" "), outcome.lasso.unwrap())
    };
    let again = Lasso::BackTo { index: 3, action: "Up".to_owned() };
    assert_eq!(lasso("Arrives"), ("1 2 3 2".to_owned(), again));
    assert_eq!(lasso("Returns"), ("1 2 3 4".to_owned(), Lasso::Stuttering));
}

/// Names that the engine's own names and those of constants could be taken for.
const NAMES: &str = "\
EXTENDS Naturals, Sequences, TLC
CONSTANT Limit
VARIABLES x, s, y
vars == <<x, s, y>>
Table == [Table |-> 5, Limit |-> Limit]
Double(n) == 2 * n
Doubled == Double(Table.Table)
RECURSIVE Sum(_)
Sum(q) == IF q = <<>> THEN 0 ELSE Head(q) + Sum(Tail(q))
Total == Sum(<<1, 2, Doubled>>)
Above(n) == n > x
Test(n) == n < x
Init == x = 1 /\\ s = <<3, 1, 2>> /\\ y = {}
Next ==
  /\\ x < Limit
  /\\ x' = x + 1
  /\\ \\E n \\in {1, 2} : y' = y \\cup {<<n, SelectSeq(s, Above), SelectSeq(s, Test)>>}
  /\\ s' = SelectSeq(s, LAMBDA m : m # x) \\o <<x + Total>>
Right ==
  /\\ PrintT(<<x, s, Print(\"y\", y), Total, Doubled, Table>>)
  /\\ LET Limits == Table.Limit IN \\A n \\in 1..Limits : SelectSeq(<<n>>, LAMBDA y1 : y1 = n) = <<n>>
";

#[test]
fn names_stand_for_what_they_stand_for_in_tlc() {
    let config = "CONSTANT Limit = 3\nINIT Init\nNEXT Next\nINVARIANT Right\n";
    let (seen, words) = agreed(&files(NAMES, config), |_| {});
    assert!(words.starts_with("holds"), "{words}");
    assert!(seen.outcome.user_lines.iter().any(|line| line.contains("13, 10")), "a total");
}

#[test]
fn a_deadlock_is_found_where_it_is_asked_for() {
    let body = "EXTENDS Naturals\nVARIABLE x\nInit == x = 1\nNext == x < 4 /\\ x' = x + 1\n";
    let files = files(body, "INIT Init\nNEXT Next\n");
    let (seen, words) = agreed(&files, |run| run.deadlock = true);
    assert_eq!(words, "deadlock after 4 states");
    assert_eq!(seen.outcome.behaviour[3].variables["x"], Value::Int(4));
    assert_eq!(agreed(&files, |_| {}).1, "holds, 4 states, depth 4");
}

#[test]
fn a_search_that_goes_on_after_a_violation_names_the_first_one_and_sees_everything() {
    let config = "INIT Init\nNEXT Next\nINVARIANTS Small Few\n";
    let (seen, _) = agreed(&files(COUNTER, config), |run| run.keep_going = true);
    assert_eq!(seen.outcome.verdict, Verdict::InvariantViolated { name: "Small".into() });
    assert_eq!(seen.states.len(), 7);
}

#[test]
fn an_assumption_of_a_module_that_is_extended_counts() {
    let mut files = files("EXTENDS Other\nVARIABLE x\nInit == x = 1\nNext == x' = x\n", "");
    files[1].1 = "INIT Init\nNEXT Next\n".to_owned();
    let other = |assumed: &str| format!("---- MODULE Other ----\nASSUME {assumed}\n====\n");
    files.push(("Other.tla".to_owned(), other("1 = 2")));
    assert!(agreed(&files, |_| {}).1.starts_with("an assumption is false"));
    files[2].1 = other("1 = 1");
    assert_eq!(agreed(&files, |_| {}).1, "holds, 1 states, depth 1");
}

#[test]
fn an_error_of_evaluation_has_the_behaviour_that_leads_to_it_and_what_was_printed() {
    let body = "EXTENDS Naturals, TLC\nVARIABLE x\nf == [n \\in {1, 2} |-> n]\nInit == x = 1\n\
                Next == x' = f[x] + 1\nShow == PrintT(x)\n";
    let files = files(body, "INIT Init\nNEXT Next\nINVARIANT Show\n");
    let Err(TlaError::Evaluation(error)) = run(&Embedded, &files, |_| {}) else {
        panic!("3 is not in the domain");
    };
    let values: Vec<&Value> = error.behaviour.iter().map(|state| &state.variables["x"]).collect();
    assert_eq!(values, [&Value::Int(1), &Value::Int(2), &Value::Int(3)]);
    assert_eq!(error.user_lines, ["1", "2", "3"]);
}

#[test]
fn a_module_that_does_not_parse_is_an_error_with_file_and_line() {
    let files =
        files("VARIABLE x\nInit == x = \n  /\\\nNext == x' = x\n", "INIT Init\nNEXT Next\n");
    let error = run(&Embedded, &files, |_| {}).err().expect("it does not parse");
    let TlaError::Parse { file, line: Some(line), .. } = &error else { panic!("{error}") };
    assert_eq!(file, "M.tla");
    assert!((3..=5).contains(line), "{error}");
    assert_eq!(told(&run(crate::support::tlc(), &files, |_| {})), "does not parse");
}

#[test]
fn a_search_without_end_ends_at_its_limit_or_when_it_is_to() {
    let body = "EXTENDS Naturals\nVARIABLE x\nInit == x = 1\nNext == x' = x + 1\n";
    let endless = files(body, "INIT Init\nNEXT Next\n");
    let limit = Duration::from_millis(300);
    let found = run(&Embedded, &endless, |run| {
        run.time_limit = limit;
        run.dump = false;
    });
    assert_eq!(told(&found), "is too slow");
    let directory = PrivateDirectory::new("embedded-test").unwrap();
    write(directory.path(), &endless);
    let stop = Stop::new();
    stop.request();
    let stopped = Embedded.run(&Run::new(directory.path(), "M"), &stop);
    assert!(matches!(stopped, Err(TlaError::Stopped)), "{stopped:?}");
}

#[test]
fn simulated_behaviours_are_behaviours_and_the_same_for_the_same_seed() {
    let simulate = |seed: u64, config: &str| {
        let directory = PrivateDirectory::new("embedded-test").unwrap();
        write(directory.path(), &files(COUNTER, config));
        let run = Run::new(directory.path(), "M");
        let simulation = Simulation { behaviours: 20, states_max: 8, seed };
        Embedded.simulate(&run, simulation, &Stop::new()).unwrap()
    };
    let config = "INIT Init\nNEXT Next\n";
    let drawn = simulate(1, config);
    assert_eq!(drawn.all.len(), 20);
    assert!(drawn.violated.is_none());
    assert_eq!(drawn.all, simulate(1, config).all);
    assert_ne!(drawn.all, simulate(2, config).all);
    let number = |state: &BTreeMap<String, Value>| match &state["x"] {
        Value::Int(number) => *number,
        other => panic!("{other}"),
    };
    for behaviour in &drawn.all {
        assert_eq!((behaviour.len(), number(&behaviour[0])), (8, 1));
        for pair in behaviour.windows(2) {
            let (before, after) = (number(&pair[0]), number(&pair[1]));
            assert!(after == before + 1 || (before > 2 && after == 2), "{before} {after}");
        }
    }
    let found = simulate(1, "INIT Init\nNEXT Next\nINVARIANT Small\n");
    let (verdict, behaviour) = found.violated.expect("every behaviour gets there");
    assert_eq!(verdict, Verdict::InvariantViolated { name: "Small".into() });
    assert_eq!(behaviour.last().unwrap().variables["x"], Value::Int(3));
}

#[test]
fn every_model_of_the_library_gives_the_same_with_both_engines() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tla");
    let folders = fs::read_dir(specs).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    let mut table = String::new();
    for folder in folders {
        let mut all: Files = Vec::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            all.push((name, fs::read_to_string(&path).unwrap()));
        }
        let text = &all.iter().find(|(name, _)| name == "manifest.json").unwrap().1;
        let manifest: serde_json::Value = serde_json::from_str(text).unwrap();
        for model in manifest["models"].as_array().unwrap() {
            let text = |field: &str| model[field].as_str().unwrap().to_owned();
            let (seen, words) = agreed(&all, |run| {
                run.module = text("module");
                run.config = text("config");
            });
            let generated = match model["expected"]["generated"].as_u64() {
                Some(all) => format!("; of {all} steps {} differ", seen.outcome.generated),
                None => String::new(),
            };
            table += &format!("{}: {words}{generated}\n", text("name"));
        }
    }
    expect![[r#"
        MCDiskStore: holds, 742 states, depth 9; of 1689 steps 1689 differ
        MCDiskStoreFails: EachPutHasItsSync is violated after 5 states
        MCDiskStoreFair: holds, 742 states, depth 9; of 1689 steps 1689 differ
        MCDiskStoreUnfair: a temporal property is violated without end
        MCPrimaryBackup: holds, 2062 states, depth 16; of 8491 steps 6361 differ
        MCPrimaryBackupFails: NothingSurvives is violated after 5 states
        MCPrimaryBackupFair: holds, 2062 states, depth 16; of 8491 steps 6361 differ
        MCPrimaryBackupUnfair: a temporal property is violated without end
        MCTwoPhase: holds, 288 states, depth 11; of 1146 steps 995 differ
        MCTwoPhaseFails: NobodyCommits is violated after 9 states
        MCTwoPhaseFair: holds, 288 states, depth 11; of 1146 steps 995 differ
        MCTwoPhaseUnfair: a temporal property is violated without end
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_version_is_that_of_the_crate() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap();
    let after = lock.split("name = \"tla-checker\"\nversion = \"").nth(1).unwrap();
    let version = after.split('"').next().unwrap();
    assert_eq!(Embedded::VERSION, format!("tla-checker {version}"));
}
