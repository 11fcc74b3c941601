use crate::{FaultSpec, Findings, Verdict};

/// Goes through parameters as the paper does: without losses until something is judged, then with
/// more and more of them.
///
/// With EFF = 0, EOT grows until the run without faults is not vacuous. Then EFF grows; where a
/// guarantee breaks, EOT grows, since the program may only need more time to recover; where EFF has
/// come to EOT - 1, both grow. It goes on until whoever drives it has had enough.
///
/// # Examples
///
/// ```
/// use cadre_lineage::{FaultSpec, Sweep};
///
/// let sweep = Sweep::new(1, 10);
/// assert_eq!(sweep.spec(), FaultSpec { eot: 1, eff: 0, crashes: 1 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    spec: FaultSpec,
    recovery_max: u32,
    /// The parameters at which the violation was met that more time may mend.
    failing: Option<FaultSpec>,
    clean: Option<FaultSpec>,
    is_over: bool,
}

impl Sweep {
    /// A sweep with so many crashes, which gives a program so many more rounds to recover.
    pub fn new(crashes: u32, recovery_max: u32) -> Self {
        let spec = FaultSpec { eot: 1, eff: 0, crashes };
        Self { spec, recovery_max, failing: None, clean: None, is_over: false }
    }

    /// The parameters that come next.
    pub fn spec(&self) -> FaultSpec {
        self.spec
    }

    /// The largest parameters so far at which nothing breaks.
    pub fn clean(&self) -> Option<FaultSpec> {
        self.clean
    }

    /// The smallest parameters at which a guarantee breaks, if it stays broken with more time.
    pub fn failing(&self) -> Option<FaultSpec> {
        self.failing
    }

    /// Whether a guarantee stays broken however much time there is.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes note of what was found, and goes on.
    pub fn go_on(&mut self, found: &Findings) {
        let FaultSpec { eot, eff, .. } = self.spec;
        match &found.verdict {
            Verdict::Vacuous => self.spec.eot += 1,
            Verdict::Violated { .. } => {
                let first = *self.failing.get_or_insert(self.spec);
                self.is_over = eot >= first.eot + self.recovery_max;
                self.spec.eot += 1;
            }
            Verdict::Certified | Verdict::Bounded { .. } => {
                self.failing = None;
                self.clean = Some(self.spec);
                self.spec.eff += 1;
                // EFF has to stay below EOT.
                self.spec.eot += u32::from(eff + 1 >= eot);
            }
        }
    }
}
