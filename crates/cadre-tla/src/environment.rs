use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the search for TLC reads from the environment of the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `TLA2TOOLS_JAR`.
    pub(crate) jar: Option<PathBuf>,
    /// `JAVA_HOME`.
    pub(crate) java_home: Option<PathBuf>,
    /// `PATH`.
    pub(crate) path: Option<OsString>,
    /// `CADRE_CACHE`, else the custom of the system.
    pub(crate) cache: Option<PathBuf>,
}

impl Environment {
    /// That of this process; an empty variable counts as none.
    pub(crate) fn of_process() -> Self {
        let path = |name| variable(name).map(PathBuf::from);
        let xdg = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let home = || path("HOME").or_else(|| path("USERPROFILE")).map(|home| home.join(".cache"));
        Self {
            jar: path("TLA2TOOLS_JAR"),
            java_home: path("JAVA_HOME"),
            path: variable("PATH"),
            cache: path("CADRE_CACHE").or_else(|| Some(xdg.or_else(home)?.join("cadre"))),
        }
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
