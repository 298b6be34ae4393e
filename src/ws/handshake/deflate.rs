//! Negotiating permessage-deflate (RFC 7692 §5, §7.1), the server's side. No engine of this crate compresses yet, so
//! that an [`Answer`](super::Answer) declines it; this is what it will be decided by.

use core::fmt;

use super::Handshake;
use crate::http::list;

/// What the server is ready to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The server compresses with a window of at most `2^n` bytes, 8 to 15. What a client asks for can make it smaller.
    pub server_max_window_bits: u8,
    /// The server decompresses with a window of `2^n` bytes, 8 to 15. Below 15, offers of clients that cannot keep to a
    /// smaller window are declined.
    pub client_max_window_bits: u8,
    /// The server forgets what it sent after each message, asked to or not.
    pub server_no_context_takeover: bool,
    /// The client must forget what it sent after each message.
    pub client_no_context_takeover: bool,
}

impl Default for Config {
    /// The largest windows, kept from message to message.
    fn default() -> Self {
        Self {
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
            server_no_context_takeover: false,
            client_no_context_takeover: false,
        }
    }
}

/// What both sides agreed to. [`Display`](fmt::Display) writes the value of `Sec-WebSocket-Extensions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// The server's window starts empty in each message.
    pub server_no_context_takeover: bool,
    /// The client's window starts empty in each message.
    pub client_no_context_takeover: bool,
    /// The server's window, where it was named; else 15.
    pub server_max_window_bits: Option<u8>,
    /// The client's window, where it was named; else 15.
    pub client_max_window_bits: Option<u8>,
}

/// Takes the first offer that can be kept, in the client's order of preference; `None` declines them all.
pub fn negotiate(handshake: &Handshake<'_>, config: &Config) -> Option<Params> {
    handshake.extensions().filter_map(Offer::parse).find_map(|offer| offer.accept(config))
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        if let Some(bits) = self.client_max_window_bits {
            write!(f, "; client_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

/// One offer (RFC 7692 §7.1).
#[derive(Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// Without a value the client obeys any limit.
    client_max_window_bits: Option<u8>,
}

impl Offer {
    /// `None` for another extension, and for an offer to be declined: a parameter that is unknown, came twice, or has a
    /// value it cannot have.
    fn parse(element: &[u8]) -> Option<Self> {
        let (name, parameters) = list::parameters(element);
        if name != NAME.as_bytes() {
            return None;
        }
        let mut offer = Self::default();
        for parameter in parameters {
            let parameter = parameter.ok()?;
            let repeated = match (parameter.name.as_bytes(), parameter.value) {
                (b"server_no_context_takeover", None) => {
                    core::mem::replace(&mut offer.server_no_context_takeover, true)
                }
                (b"client_no_context_takeover", None) => {
                    core::mem::replace(&mut offer.client_no_context_takeover, true)
                }
                (b"server_max_window_bits", Some(value)) => {
                    offer.server_max_window_bits.replace(window_bits(value)?).is_some()
                }
                (b"client_max_window_bits", value) => {
                    let bits = value.map_or(Some(MAX_BITS), window_bits)?;
                    offer.client_max_window_bits.replace(bits).is_some()
                }
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        Some(offer)
    }

    fn accept(self, config: &Config) -> Option<Params> {
        let server = self.server_max_window_bits.unwrap_or(MAX_BITS).min(config.server_max_window_bits);
        let client_limit = config.client_max_window_bits;
        let client_max_window_bits = match self.client_max_window_bits {
            _ if client_limit >= MAX_BITS => None,
            Some(hint) => Some(hint.min(client_limit)),
            None => return None, // it would use 15, "MUST NOT" be told otherwise, and cannot be read
        };
        Some(Params {
            server_no_context_takeover: self.server_no_context_takeover || config.server_no_context_takeover,
            client_no_context_takeover: config.client_no_context_takeover,
            server_max_window_bits: (self.server_max_window_bits.is_some() || server < MAX_BITS).then_some(server),
            client_max_window_bits,
        })
    }
}

/// 8 to 15, "a decimal integer value without leading zeroes".
fn window_bits(value: list::Value<'_>) -> Option<u8> {
    (8..).zip(["8", "9", "10", "11", "12", "13", "14", "15"]).find(|(_, text)| value.is(text.as_bytes())).map(|w| w.0)
}

const NAME: &str = "permessage-deflate";
const MAX_BITS: u8 = 15;
