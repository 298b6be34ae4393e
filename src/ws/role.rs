//! Which end of the connection this is, as a type.

use core::fmt;

use crate::Entropy;

/// The server's end: receives masked frames, sends unmasked ones, holds no entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Server;

/// The client's end: receives unmasked frames, masks what it sends with keys from `E`.
#[derive(Clone, Copy)]
pub struct Client<E>(pub(super) E);

/// Without the source of mask keys: a closure has no `Debug`, and its state is nobody's business.
impl<E> fmt::Debug for Client<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// [`Server`] or [`Client`].
pub trait Role: sealed::Sealed {}

impl Role for Server {}
impl<E: Entropy> Role for Client<E> {}

pub(super) mod sealed {
    use super::{Client, Entropy, Server};

    pub trait Sealed {
        /// Whether frames sent are masked; those received are masked exactly if not.
        const MASKS: bool;

        /// A fresh mask key (§5.3: "the client MUST pick a fresh masking key", which "needs to be unpredictable").
        fn mask_key(&mut self) -> [u8; 4];
    }

    impl Sealed for Server {
        const MASKS: bool = false;

        fn mask_key(&mut self) -> [u8; 4] {
            [0; 4]
        }
    }

    impl<E: Entropy> Sealed for Client<E> {
        const MASKS: bool = true;

        fn mask_key(&mut self) -> [u8; 4] {
            let mut key = [0; 4];
            self.0.fill(&mut key);
            key
        }
    }
}
