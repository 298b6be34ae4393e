//! The protocols that a request offers to change to.

use crate::http::list;
use crate::http1::misuse::Misuse;

/// "A server MUST NOT switch to a protocol that was not indicated by the client" (RFC 9110 §7.8): so the offer is
/// remembered until its answer has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// `#protocol`, as it was sent.
    bytes: [u8; MAX_OFFER],
    len: u8,
}

/// How much of Upgrade fields can be remembered, a comma for each included; `websocket` has 9 bytes.
const MAX_OFFER: usize = 31;

impl Offer {
    pub(super) const NONE: Self = Self { bytes: [0; MAX_OFFER], len: 0 };

    /// Adds the value of one Upgrade field, if there is room.
    pub(super) fn add(&mut self, value: &[u8]) -> Result<(), Misuse> {
        let len = usize::from(self.len);
        let Some(space) = self.bytes.get_mut(len..).and_then(|free| free.get_mut(..value.len() + 1)) else {
            return Err(Misuse::Offer);
        };
        let (space, comma) = space.split_at_mut(value.len());
        space.copy_from_slice(value);
        comma.fill(b',');
        self.len = u8::try_from(len + value.len() + 1).unwrap_or(u8::MAX);
        Ok(())
    }

    pub(super) const fn is_none(&self) -> bool {
        self.len == 0
    }

    /// Whether there is a protocol among `named`, and none that is not offered.
    pub(super) fn covers<'a>(&self, named: impl Iterator<Item = &'a [u8]>) -> bool {
        let offered = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        let mut named = named.peekable();
        named.peek().is_some()
            && named.all(|name| list::elements(offered).any(|offer| offer.eq_ignore_ascii_case(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_offered() {
        let mut offer = Offer::NONE;
        assert!(offer.is_none() && !offer.covers([&b""[..]].into_iter()));
        assert_eq!((offer.add(b"websocket"), offer.add(b"a/1, b")), (Ok(()), Ok(())));
        let covers = |named: &[&str]| offer.covers(named.iter().map(|name| name.as_bytes()));
        assert!(covers(&["WebSocket"]) && covers(&["a/1"]) && covers(&["b", "A/1"]));
        assert!(!covers(&[]) && !covers(&["a"]) && !covers(&["web"]) && !covers(&["websocket", "h2c"]));
        assert!(!covers(&[""]));
    }

    #[test]
    fn as_long_as_its_room() {
        let mut offer = Offer::NONE;
        assert_eq!(offer.add(&[b'a'; MAX_OFFER]), Err(Misuse::Offer));
        assert_eq!(offer.add(&[b'a'; MAX_OFFER - 1]), Ok(()));
        assert_eq!(offer.add(b""), Err(Misuse::Offer));
    }
}
