use crate::support::*;
use cadre_conform::{Options, check, check_graph};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Embedded, Engine};

#[test]
fn timing() {
    let engines: [&dyn Engine; 1] = [&Embedded];
    let traces = random_traces(10, 1000);
    let events: Vec<_> = traces.iter().cloned().map(|mut t| { t.initial = None; t.steps.iter_mut().for_each(|s| s.variables = None); t }).collect();
    for e in engines {
        for (name, traces) in [("one", &traces[..1]), ("1000", &traces[..]), ("1000 events", &events[..])] {
            let d = PrivateDirectory::new("timing").unwrap();
            let at = std::time::Instant::now();
            let r = check(&two_phase(10), traces, e, d.path(), &Options::default(), &Stop::new()).unwrap();
            eprintln!("{name}: {:?} {} {} states", at.elapsed(), r.conforms(), r.states);
        }
        for n in [3] {
            let (mut graph, steps) = crate::graphs::everything(n);
            for (from, action, to) in &steps { graph.add_step(*from, action.clone(), *to); }
            let d = PrivateDirectory::new("timing").unwrap();
            let at = std::time::Instant::now();
            let r = check_graph(&two_phase(n), &graph, e, d.path(), &Options::default(), &Stop::new()).unwrap();
            eprintln!("graph {n} ({} states): {:?} {} runs {}", graph.states_count(), at.elapsed(), r.refines(), r.tlc.runs);
        }
    }
}
