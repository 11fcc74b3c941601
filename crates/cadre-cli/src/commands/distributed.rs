use cadre::conform::{check_model_distributed, plan_model_distributed};
use cadre::tla::{Distributed, Hosts, SpecState, Verdict};

use crate::commands::spec::{Checked, Violated, counts};
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform, of_tla};
use crate::spec_args::{DistributedArgs, SpecArgs};
use crate::watch::count;
use crate::{engines, output, spec_watch};

/// `spec --distributed`: has TLC explore the specification by several processes.
pub(crate) fn run(
    context: &mut Context<'_>,
    checked: &Checked,
    args: &SpecArgs,
) -> Result<Exit, Failure> {
    let hosts = hosts(&args.distributed, args.workers)?;
    let DistributedArgs { address, port, .. } = args.distributed.clone();
    let port = port.unwrap_or_else(port_of_this_process);
    if address.is_none() && !hosts.are_here() {
        let why = "expected --address, the name by which the other hosts reach this one; add it";
        return Err(anyhow::anyhow!(why)).or_exit(Exit::Usage);
    }
    let address = address.unwrap_or_else(|| "127.0.0.1".to_owned());
    let distributed = Distributed { tlc: context.tlc()?, hosts, address, port };
    let model = checked.invariants_alone(args, "TLC checks invariants alone by several processes");
    let mut run = context.run_directory("spec")?;
    let planned = plan_model_distributed(&model, &distributed, run.path(), &checked.options);
    let (command, elsewhere) = planned.map_err(of_conform)?;
    if args.dry_run {
        run.keep();
        output::line(&command);
    }
    for (host, command) in &elsewhere {
        output::labelled("waits", &format!("for {host}: run there {command}"));
    }
    if args.dry_run {
        return Ok(Exit::Holds);
    }
    let found = spec_watch::watched(run.path(), || {
        let Checked { options, .. } = checked;
        check_model_distributed(&model, &distributed, run.path(), options, &context.stop)
    });
    let found = found.map_err(of_conform).inspect_err(|_| {
        run.keep();
    })?;
    let explored = &found.explored;
    let workers = count(distributed.hosts.workers.len(), "worker", "workers");
    let counted = explored.distinct.zip(explored.generated);
    let counted = counted.map(|(distinct, generated)| counts(distinct, generated, explored.depth));
    let particulars = format!(
        "{}, {}, {workers}, {:.1} s",
        counted.as_deref().unwrap_or("states not counted"),
        engines::name(&explored.version),
        explored.elapsed.as_secs_f64()
    );
    let is_violated = found.verdict != Verdict::NoError;
    output::stage("spec", if is_violated { "violated" } else { "holds" }, &particulars);
    let Some(violated) = Violated::of(&found.verdict) else {
        output::verdict("PASS", &format!("{} hold", model.invariants.join(", ")), Exit::Holds);
        return Ok(Exit::Holds);
    };
    if !explored.last.is_empty() {
        output::line("");
        output::line("the last states, which are all that TLC tells of a distributed run:");
        print_states(&explored.last);
        output::labelled("whole", "without --distributed it is told from the beginning");
    }
    output::labelled("logs", &run.keep().display().to_string());
    output::verdict("FAIL", &violated.what, Exit::Violated);
    Ok(Exit::Violated)
}

fn hosts(args: &DistributedArgs, workers: Option<u32>) -> Result<Hosts, Failure> {
    let Some(file) = &args.hosts else { return Ok(Hosts::here(workers.unwrap_or(2))) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::anyhow!("cannot read the hosts {}: {error}", file.display()))
        .or_exit(Exit::Input)?;
    Hosts::parse(&text).map_err(of_tla)
}

/// A port that two commands at the same time do not share.
fn port_of_this_process() -> u16 {
    let offset = std::process::id() % 10_000;
    20_000 + u16::try_from(offset).unwrap_or_default()
}

/// States, each with the action that leads to it and the variables that it changes.
fn print_states(states: &[SpecState]) {
    for (index, state) in states.iter().enumerate() {
        output::line(&format!("{:>3}  {}", index + 1, state.action));
        let before = index.checked_sub(1).map(|before| &states[before].variables);
        for (name, value) in &state.variables {
            if before.is_none_or(|before| before.get(name) != Some(value)) {
                output::line(&format!("       {name} = {value}"));
            }
        }
    }
}
