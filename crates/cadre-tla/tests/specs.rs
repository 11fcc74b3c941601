//! Every model under `tla/` gives the result which its manifest promises.

use std::fs;
use std::path::{Path, PathBuf};

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Engine, Find, Outcome, Run, Tlc, Verdict, find};
use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    spec: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    module: String,
    config: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
enum Expected {
    Holds { generated: u64, distinct: u64, depth: u64 },
    Violated { invariant: Option<String>, property: Option<String>, behaviour: Option<usize> },
}

#[test]
fn every_model_gives_the_result_of_its_manifest() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tla");
    let folders = fs::read_dir(specs).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    assert!(!folders.is_empty());
    let tlc = find(&Find::default(), &mut |_| {}, &Stop::new()).unwrap();
    for folder in folders {
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert!(folder.ends_with(&manifest.spec), "{}", folder.display());
        let results = manifest.models.iter().map(|model| &model.expected);
        let fails = |expected: &Expected| matches!(expected, Expected::Violated { .. });
        let count = results.filter(|expected| fails(expected)).count();
        assert!(count > 0, "{}: no model that must fail", manifest.spec);
        for model in &manifest.models {
            check_model(&run(&tlc, &folder, model), model);
        }
    }
}

fn run(tlc: &Tlc, folder: &Path, model: &Model) -> Outcome {
    let directory = PrivateDirectory::new("specs-test").expect("a directory is created");
    for entry in fs::read_dir(folder).expect("the specification is there") {
        let path = entry.expect("the entry is readable").path();
        let name = path.file_name().expect("an entry has a name");
        fs::copy(&path, directory.path().join(name)).expect("the file is copied");
    }
    let mut run = Run::new(directory.path(), model.module.clone());
    run.config.clone_from(&model.config);
    tlc.run(&run, &Stop::new()).expect("TLC gives a verdict")
}

fn check_model(outcome: &Outcome, model: &Model) {
    let name = &model.name;
    match &model.expected {
        Expected::Holds { generated, distinct, depth } => {
            assert_eq!(outcome.verdict, Verdict::NoError, "{name}");
            let counts = (outcome.generated, outcome.distinct, outcome.depth);
            assert_eq!(counts, (*generated, *distinct, Some(*depth)), "{name}");
        }
        Expected::Violated { invariant, property, behaviour } => {
            let violated = match (invariant, property) {
                (Some(invariant), None) => Verdict::InvariantViolated { name: invariant.clone() },
                (None, Some(_)) => Verdict::PropertyViolated { name: None },
                (Some(_), Some(_)) | (None, None) => panic!("{name}: expected one claim"),
            };
            assert_eq!(outcome.verdict, violated, "{name}");
            // How long a behaviour is that violates a temporal property depends on chance.
            assert_eq!(outcome.behaviour.len(), behaviour.unwrap_or(outcome.behaviour.len()));
        }
    }
}
