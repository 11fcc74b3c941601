use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::expansion::Asleep;
use crate::model::Model;
use crate::plain::Checked;

/// A model whose configurations can be handed from one process to another that has the same model.
///
/// Packed configurations may name what was told with earlier ones, so that nothing is told twice:
/// what one sender packs for one receiver is unpacked in the same order, with one
/// [`Told`](Portable::Told) on one side and one [`Heard`](Portable::Heard) on the other.
///
/// # Contract
///
/// * What is unpacked has the fingerprint that it had where it was packed.
/// * What is asleep where a configuration is unpacked was asleep where it was packed; it may be
///   less.
///
/// # Examples
///
/// A plain model is portable if its configurations can be written and read by serde:
///
/// ```
/// use cadre_model::{Asleep, Model, Portable, check};
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u32;
///     type Action = ();
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, _: &u32, out: &mut Vec<()>) {
///         out.push(());
///     }
///
///     fn next(&self, state: &u32, _: &()) -> Option<u32> {
///         Some((state + 1) % 5)
///     }
/// }
///
/// let (here, there) = (check(Counter), check(Counter));
/// let mut bytes = Vec::new();
/// here.pack(&[3, 4], &[Asleep::NONE; 2], &mut Default::default(), &mut bytes);
///
/// let mut unpacked = Vec::new();
/// let mut wanted = |fingerprint, _| fingerprint != there.fingerprint(&3);
/// there.unpack(&bytes, &mut Default::default(), &mut wanted, &mut unpacked)?;
/// assert_eq!(unpacked, [4]);
/// # Ok::<(), cadre_model::PortableError>(())
/// ```
pub trait Portable: Model {
    /// What a sender has told one receiver so far.
    type Told: Default + Send;
    /// What a receiver has been told by one sender so far.
    type Heard: Default + Send;

    /// Appends configurations, each with what is asleep there. The slices are equally long.
    fn pack(
        &self,
        states: &[Self::State],
        asleep: &[Asleep],
        told: &mut Self::Told,
        out: &mut Vec<u8>,
    );

    /// Reads configurations. `arrive` gets the fingerprint of each and what is asleep there, and
    /// says whether the configuration itself is wanted; those that are, are appended.
    ///
    /// # Errors
    ///
    /// Where the bytes are not what the same model has packed, or a value of the user's does not
    /// come back from serde as it was.
    fn unpack(
        &self,
        bytes: &[u8],
        heard: &mut Self::Heard,
        arrive: &mut impl FnMut(u128, Asleep) -> bool,
        out: &mut Vec<Self::State>,
    ) -> Result<(), PortableError>;

    /// What puts actions into the same order in every process; those that are equal stay in the
    /// order in which [`actions`](Model::actions) lists them.
    fn rank(&self, action: &Self::Action) -> u128 {
        let _ = action;
        0
    }
}

/// Why packed configurations cannot be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortableError {
    /// They end too early, or name what was never told.
    #[error("expected configurations as this model packs them, found {found}")]
    Garbled {
        /// What is there instead.
        found: String,
    },
    /// A value of the user's is another one after it was written and read.
    #[error(
        "expected {what} to come back from serde as it was, found another; \
         look for `#[serde(skip)]` and for equality or hashing by hand"
    )]
    Changed {
        /// What kind of value.
        what: &'static str,
    },
}

impl PortableError {
    pub(crate) fn garbled(found: impl ToString) -> Self {
        Self::Garbled { found: found.to_string() }
    }
}

/// Each configuration as its fingerprint, its length, and itself as JSON; plain models know nothing
/// of what is asleep.
impl<M: Model> Portable for Checked<M>
where
    M::State: Serialize + DeserializeOwned,
{
    type Told = ();
    type Heard = ();

    fn pack(&self, states: &[M::State], _: &[Asleep], (): &mut (), out: &mut Vec<u8>) {
        for state in states {
            let json = serde_json::to_vec(state).expect("states can be written as JSON");
            out.extend(self.fingerprint(state).to_le_bytes());
            out.extend(u32::try_from(json.len()).expect("states are small").to_le_bytes());
            out.extend(json);
        }
    }

    fn unpack(
        &self,
        bytes: &[u8],
        (): &mut (),
        arrive: &mut impl FnMut(u128, Asleep) -> bool,
        out: &mut Vec<M::State>,
    ) -> Result<(), PortableError> {
        let mut rest = Reader(bytes);
        while !rest.is_empty() {
            let fingerprint = u128::from_le_bytes(rest.array()?);
            let json = rest.sized()?;
            if arrive(fingerprint, Asleep::NONE) {
                let state = serde_json::from_slice(json).map_err(PortableError::garbled)?;
                if self.fingerprint(&state) != fingerprint {
                    return Err(PortableError::Changed { what: "a configuration" });
                }
                out.push(state);
            }
        }
        Ok(())
    }
}

/// Takes packed bytes apart, front to back.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], PortableError> {
        let too_few = || PortableError::garbled("too few bytes");
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(too_few)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], PortableError> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    pub(crate) fn word(&mut self) -> Result<u32, PortableError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Bytes that are preceded by how many they are.
    pub(crate) fn sized(&mut self) -> Result<&'a [u8], PortableError> {
        let count = self.word()?;
        self.take(count as usize)
    }
}
