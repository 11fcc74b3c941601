use std::fmt::Write as _;

use crate::{TlaError, Value};

/// A generated module.
///
/// # Examples
///
/// ```
/// use cadre_tla::{Module, Value};
///
/// let module = Module::new("Check")
///     .extends(["TwoPhase", "TLC"])
///     .constants(["rm1", "rm2"])
///     .value("Managers", &Value::set([Value::model("rm1"), Value::model("rm2")]))?
///     .definition("Fine", "Consistent /\\ TypeOK");
/// assert_eq!(module.to_text(), "\
/// ---- MODULE Check ----
/// EXTENDS TwoPhase, TLC
/// CONSTANTS rm1, rm2
/// Managers == {rm1, rm2}
/// Fine == Consistent /\\ TypeOK
/// ====
/// ");
/// # Ok::<(), cadre_tla::TlaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Module {
    name: String,
    extends: Vec<String>,
    constants: Vec<String>,
    variables: Vec<String>,
    body: String,
}

impl Module {
    /// An empty module; TLC wants it in a file of the same name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            extends: Vec::new(),
            constants: Vec::new(),
            variables: Vec::new(),
            body: String::new(),
        }
    }

    /// The name of the module.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds modules to `EXTENDS`.
    pub fn extends<I: IntoIterator<Item: Into<String>>>(mut self, modules: I) -> Self {
        self.extends.extend(modules.into_iter().map(Into::into));
        self
    }

    /// Declares constants.
    pub fn constants<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.constants.extend(names.into_iter().map(Into::into));
        self
    }

    /// Declares variables.
    pub fn variables<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.variables.extend(names.into_iter().map(Into::into));
        self
    }

    /// Defines an operator; `signature` may have parameters, `text` several lines.
    pub fn definition(mut self, signature: &str, text: &str) -> Self {
        let _ = writeln!(self.body, "{signature} == {text}");
        self
    }

    /// Defines an operator to be a value.
    ///
    /// # Errors
    ///
    /// [`TlaError::NotWritable`] if TLC cannot read the value.
    pub fn value(self, name: &str, value: &Value) -> Result<Self, TlaError> {
        Ok(self.definition(name, &value.to_text()?))
    }

    /// Assumes a formula, which TLC evaluates before anything else.
    pub fn assumption(mut self, formula: &str) -> Self {
        let _ = writeln!(self.body, "ASSUME {formula}");
        self
    }

    /// Adds a comment of one line.
    pub fn comment(mut self, text: &str) -> Self {
        let _ = writeln!(self.body, "\\* {}", text.replace('\n', " "));
        self
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = format!("---- MODULE {} ----\n", self.name);
        for (keyword, names) in [
            ("EXTENDS", &self.extends),
            ("CONSTANTS", &self.constants),
            ("VARIABLES", &self.variables),
        ] {
            if !names.is_empty() {
                let _ = writeln!(text, "{keyword} {}", names.join(", "));
            }
        }
        text.push_str(&self.body);
        text.push_str("====\n");
        text
    }
}

/// A generated configuration of TLC.
///
/// It is limited to what every TLC since 2.15 reads. What only newer ones know (deadlock checking,
/// postconditions, aliases) has no method, because an old TLC takes the word for an invariant.
///
/// # Examples
///
/// ```
/// let config = cadre_tla::Config::new()
///     .model("rm1", "rm1")
///     .substitute("RM", "Managers")
///     .specification("Spec")
///     .invariant("Consistent");
/// assert_eq!(config.to_text(), "\
/// CONSTANT rm1 = rm1
/// CONSTANT RM <- Managers
/// SPECIFICATION Spec
/// INVARIANT Consistent
/// ");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    text: String,
}

impl Config {
    /// An empty configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the constant an untyped model value of this name.
    pub fn model(self, constant: &str, name: &str) -> Self {
        self.line(&format!("CONSTANT {constant} = {name}"))
    }

    /// Makes the constant equal to an operator which the module defines.
    pub fn substitute(self, constant: &str, definition: &str) -> Self {
        self.line(&format!("CONSTANT {constant} <- {definition}"))
    }

    /// Takes this formula as the specification.
    pub fn specification(self, formula: &str) -> Self {
        self.line(&format!("SPECIFICATION {formula}"))
    }

    /// Takes these two operators as the specification.
    pub fn init_next(self, init: &str, next: &str) -> Self {
        self.line(&format!("INIT {init}")).line(&format!("NEXT {next}"))
    }

    /// Checks an invariant.
    pub fn invariant(self, name: &str) -> Self {
        self.line(&format!("INVARIANT {name}"))
    }

    /// Checks a temporal property.
    pub fn property(self, name: &str) -> Self {
        self.line(&format!("PROPERTY {name}"))
    }

    /// Goes on only by steps that satisfy this formula. The others are still evaluated, so that
    /// they are seen to fail, or to be there where a deadlock is asked for.
    pub fn action_constraint(self, name: &str) -> Self {
        self.line(&format!("ACTION_CONSTRAINT {name}"))
    }

    /// The text of the file.
    pub fn to_text(&self) -> &str {
        &self.text
    }

    fn line(mut self, line: &str) -> Self {
        self.text.push_str(line);
        self.text.push('\n');
        self
    }
}
