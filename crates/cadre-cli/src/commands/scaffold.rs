use std::path::Path;

use cadre::conform;

use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_tla};
use crate::watch::count;
use crate::{modules, output};

/// `spec --scaffold`: writes a trace module beside a specification.
pub(crate) fn run(context: &mut Context<'_>, spec: &Path) -> Result<Exit, Failure> {
    let (files, module) = modules::beside(spec)?;
    let path = spec.with_file_name(format!("Trace{module}.tla"));
    if path.exists() {
        let path = path.display();
        return Err(anyhow::anyhow!(
            "expected no {path} yet, found one; remove or rename it first"
        ))
        .or_exit(Exit::Usage);
    }
    let tlc = context.tlc()?;
    let run = context.run_directory("spec")?;
    modules::write(run.path(), &files).or_exit(Exit::ToolChain)?;
    let contents = tlc.contents(run.path(), &module, &context.stop).map_err(of_tla)?;
    let scaffold = conform::scaffold(&contents, &files).or_exit(Exit::Input)?;
    std::fs::write(&path, &scaffold.text)
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
        .or_exit(Exit::ToolChain)?;
    let actions = count(scaffold.actions.len(), "action", "actions");
    output::stage("scaffold", "written", &format!("{}, {actions}", path.display()));
    for (module, line) in &scaffold.unnamed {
        let why = "a step that no trace can name; give it a name, with its parameters";
        output::stage("", "unnamed", &format!("{module}.tla, line {line}: {why}"));
    }
    let command = format!("{} conform --log FILE --mapping FILE --spec", context.program);
    output::labelled("next", &format!("fill in its table, then {command} {}", path.display()));
    Ok(Exit::Holds)
}
