use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::manifest::{Dependency, Manifest, Purpose, is_internal};
use crate::{Tree, Violation};

/// A crate of the map: its height, the crates it points to, and how far it may go.
struct Place {
    name: &'static str,
    layer: u8,
    arrows: &'static [&'static str],
    reach: Reach,
}

/// Which crates a crate may name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those its arrows point to.
    Arrows,
    /// Those too to which arrows lead from there.
    Below,
    /// All but the tests and the automation.
    Everything,
}

const PLACES: [Place; 21] = [
    place("cadre-step", 0, &[], Reach::Arrows),
    place("cadre-process", 0, &[], Reach::Arrows),
    place("cadre-trace", 1, &["cadre-step"], Reach::Arrows),
    place("cadre-store", 1, &["cadre-step"], Reach::Arrows),
    place("cadre-model", 2, &["cadre-trace"], Reach::Below),
    place("cadre-explore", 3, &["cadre-model"], Reach::Below),
    place("cadre-proptest", 3, &["cadre-model"], Reach::Below),
    place("cadre-simulate", 3, &["cadre-model"], Reach::Below),
    place("cadre-lineage", 3, &["cadre-model"], Reach::Below),
    place("cadre-tla", 3, &["cadre-trace", "cadre-process"], Reach::Arrows),
    place("cadre-view", 3, &["cadre-trace"], Reach::Arrows),
    place("cadre-runtime", 3, &["cadre-trace", "cadre-store"], Reach::Below),
    place("cadre-conform", 4, &["cadre-model", "cadre-tla"], Reach::Below),
    place("cadre-replay", 4, &["cadre-model", "cadre-runtime", "cadre-process"], Reach::Below),
    place("cadre", 5, FACADE, Reach::Below),
    place("cadre-cli", 6, &["cadre"], Reach::Arrows),
    place("cadre-protocols", 6, &["cadre"], Reach::Arrows),
    place("cadre-app", 7, &["cadre-cli", "cadre-protocols"], Reach::Arrows),
    place("cadre-bench", 7, &["cadre", "cadre-protocols"], Reach::Arrows),
    place("cadre-tests", 7, &[], Reach::Everything),
    place("xtask", 7, &["cadre-process"], Reach::Arrows),
];

const FACADE: &[&str] = &[
    "cadre-conform",
    "cadre-explore",
    "cadre-lineage",
    "cadre-proptest",
    "cadre-replay",
    "cadre-simulate",
    "cadre-view",
];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let places: BTreeMap<&str, &Place> = PLACES.iter().map(|place| (place.name, place)).collect();
    let mut violations = Vec::new();
    for manifest in Manifest::all(tree)? {
        let Some(place) = places.get(manifest.name.as_str()) else {
            let what = format!(
                "expected a crate of the map, found `{}`; give it a layer in xtask's layers rule",
                manifest.name
            );
            violations.push(Violation::of(manifest.path, what));
            continue;
        };
        for dependency in &manifest.dependencies {
            if is_internal(&dependency.package) {
                violations.extend(
                    judge(&places, place, dependency)
                        .map(|what| Violation::of(manifest.path.as_str(), what)),
                );
            }
        }
    }
    Ok(violations)
}

const fn place(
    name: &'static str,
    layer: u8,
    arrows: &'static [&'static str],
    reach: Reach,
) -> Place {
    Place { name, layer, arrows, reach }
}

fn judge(
    places: &BTreeMap<&str, &Place>,
    place: &Place,
    dependency: &Dependency,
) -> Option<String> {
    let allowed = allowed(places, place);
    let package = dependency.package.as_str();
    if allowed.contains(package) {
        return None;
    }
    let target = places.get(package).map(|target| target.layer);
    match dependency.purpose {
        Purpose::Tests if target.is_some_and(|target| target <= place.layer) => None,
        Purpose::Tests => Some(format!(
            "expected tests to depend on crates of its layer or below, found `{package}` above; \
             move the test to tests/"
        )),
        Purpose::Code => Some(format!(
            "expected dependencies among {allowed:?}, found `{package}`; \
             see the layers in ARCHITECTURE.md"
        )),
    }
}

fn allowed<'a>(places: &BTreeMap<&'a str, &'a Place>, place: &Place) -> BTreeSet<&'a str> {
    match place.reach {
        Reach::Arrows => place.arrows.iter().copied().collect(),
        Reach::Everything => {
            places.values().filter(|other| other.layer < 7).map(|other| other.name).collect()
        }
        Reach::Below => {
            let mut found = BTreeSet::new();
            let mut open = place.arrows.to_vec();
            while let Some(name) = open.pop() {
                if found.insert(name) {
                    open.extend(places.get(name).map_or(&[][..], |place| place.arrows));
                }
            }
            found
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::found;

    const ROOT: (&str, &str) = ("Cargo.toml", "");

    #[test]
    fn arrows_of_the_map_point_downwards() {
        for place in &PLACES {
            for arrow in place.arrows {
                let target = PLACES.iter().find(|other| other.name == *arrow).unwrap();
                assert!(target.layer < place.layer, "{} -> {arrow}", place.name);
            }
        }
    }

    #[test]
    fn an_arrow_of_the_map_and_what_it_leads_to_is_allowed() {
        let manifest = "[package]\nname = 'cadre-explore'\n[dependencies]\n\
                        cadre-model.workspace = true\ncadre-step.workspace = true\n\
                        [dev-dependencies]\ncadre-simulate.workspace = true\n";
        let none: [&str; 0] = [];
        assert_eq!(found(check, [ROOT, ("crates/cadre-explore/Cargo.toml", manifest)]), none);
    }

    #[test]
    fn an_upward_arrow_is_found() {
        let manifest = "[package]\nname = 'cadre-model'\n[dependencies]\n\
                        cadre-explore.workspace = true\n\
                        [dev-dependencies]\ncadre.workspace = true\n";
        let found = found(check, [ROOT, ("crates/cadre-model/Cargo.toml", manifest)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("found `cadre-explore`"), "{found:?}");
        assert!(found[1].contains("found `cadre` above"), "{found:?}");
    }

    #[test]
    fn a_short_cut_is_found_where_arrows_alone_count() {
        let manifest = "[package]\nname = 'cadre-cli'\n[dependencies]\n\
                        cadre.workspace = true\ncadre-step.workspace = true\n";
        let found = found(check, [ROOT, ("crates/cadre-cli/Cargo.toml", manifest)]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let manifest = "[package]\nname = 'cadre-new'\n";
        let found = found(check, [ROOT, ("crates/cadre-new/Cargo.toml", manifest)]);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
