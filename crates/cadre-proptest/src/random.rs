use proptest::test_runner::{RngAlgorithm, TestRng};

/// The generator that follows from a seed: ChaCha, in every version and on every machine.
pub(crate) fn generator(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}
