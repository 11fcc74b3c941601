//! Protocol behaviour, told in scenario files.

use std::path::Path;

#[test]
fn every_scenario_tells_the_story_that_its_file_tells() {
    let suite = cadre_protocols::suite();
    let mut told = 0;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for game in std::fs::read_dir(scenarios).unwrap() {
        for scenario in std::fs::read_dir(game.unwrap().path()).unwrap() {
            cadre_tests::check_scenario(&suite, &scenario.unwrap().path());
            told += 1;
        }
    }
    assert!(told >= 4, "the scenario files are gone");
}
