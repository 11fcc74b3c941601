use crate::TlaError;

/// Which hosts take part in a distributed run, besides the one that leads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Who computes successors of states.
    pub workers: Vec<Worker>,
    /// The hosts that keep the fingerprints of the states; with none the leading process does.
    pub fingerprints: Vec<String>,
}

/// A process that computes the successors of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its host.
    pub host: String,
    /// Its threads.
    pub threads: u32,
}

impl Hosts {
    /// So many workers with one thread each on this host.
    pub fn here(workers: u32) -> Self {
        let worker = || Worker { host: HERE.to_owned(), threads: 1 };
        Self { workers: (0..workers).map(|_| worker()).collect(), fingerprints: Vec::new() }
    }

    /// Whether all of them are on this host.
    pub fn are_here(&self) -> bool {
        let workers = self.workers.iter().map(|worker| &worker.host);
        workers.chain(&self.fingerprints).all(|host| is_here(host))
    }

    /// Reads a line for each process: `HOST worker`, `HOST worker THREADS`, or `HOST fingerprints`.
    /// What follows a `#` is a remark.
    ///
    /// # Errors
    ///
    /// [`TlaError::Hosts`] with the line.
    pub fn parse(text: &str) -> Result<Self, TlaError> {
        let mut hosts = Self::default();
        for (index, line) in text.lines().enumerate() {
            let told = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = told.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [host, "worker"] => hosts.workers.push(worker(host, 1)),
                [host, "worker", threads] => {
                    let threads = threads.parse().ok().filter(|threads| *threads > 0);
                    let threads = threads.ok_or_else(|| unreadable(index, line))?;
                    hosts.workers.push(worker(host, threads));
                }
                [host, "fingerprints"] => hosts.fingerprints.push((*host).to_owned()),
                _ => return Err(unreadable(index, line)),
            }
        }
        match hosts.workers.is_empty() {
            true => Err(TlaError::Hosts { line: 0, found: "no worker".to_owned() }),
            false => Ok(hosts),
        }
    }
}

/// The address of this host for itself.
pub(crate) const HERE: &str = "127.0.0.1";

/// Whether a process on this host is to be started by the one that leads.
pub(crate) fn is_here(host: &str) -> bool {
    matches!(host, HERE | "localhost" | "::1")
}

fn worker(host: &str, threads: u32) -> Worker {
    Worker { host: host.to_owned(), threads }
}

fn unreadable(index: usize, line: &str) -> TlaError {
    TlaError::Hosts { line: index + 1, found: format!("`{}`", line.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_process_and_remarks_are_left_out() {
        let text = "# two hosts\na worker 4\nb worker # slow\n\na fingerprints\n";
        let expected = Hosts {
            workers: vec![worker("a", 4), worker("b", 1)],
            fingerprints: vec!["a".to_owned()],
        };
        assert_eq!(Hosts::parse(text).unwrap(), expected);
        assert_eq!(Hosts::parse("127.0.0.1 worker\n127.0.0.1 worker").unwrap(), Hosts::here(2));
    }

    #[test]
    fn a_line_that_is_no_process_is_an_error_with_its_number() {
        for (text, place) in [
            ("a worker\nb", "line 2"),
            ("a worker none", "line 1"),
            ("a worker 0", "line 1"),
            ("a fingerprints 3", "line 1"),
            ("", "no worker"),
            ("a fingerprints", "no worker"),
        ] {
            let error = Hosts::parse(text).unwrap_err().to_string();
            assert!(error.contains(place), "{text}: {error}");
        }
    }
}
