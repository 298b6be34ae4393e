//! Random numbers come from the caller.

/// A source of unpredictable bytes, for mask keys (RFC 6455 §10.3) and nonces.
///
/// Any `FnMut(&mut [u8])` that fills the whole slice is one.
pub trait Entropy {
    /// Overwrites every byte of `dest` with a byte nobody can predict.
    fn fill(&mut self, dest: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, dest: &mut [u8]) {
        self(dest);
    }
}
