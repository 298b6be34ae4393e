//! Negotiating permessage-deflate (RFC 7692 §5, §7.1), both sides.
//!
//! ```text
//! client: Offer, several in the order of preference ─▶ server: negotiate(handshake, config)
//! client: Params, if an offer allows the answer     ◀─ server: Answer::deflate(params)
//! ```

use core::fmt::{self, Write};

use super::Handshake;
use crate::http::list;

/// What the server is ready to do. Each side keeps its window, 32 KiB by default, from message to message; with both of
/// `no_context_takeover` an idle connection keeps none. More settings may come: write `..Config::new()` behind your own.
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

impl Config {
    /// The largest windows, kept from message to message.
    pub const fn new() -> Self {
        Self {
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
            server_no_context_takeover: false,
            client_no_context_takeover: false,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// What both sides agreed to. [`Display`](fmt::Display) writes the answer's value of `Sec-WebSocket-Extensions`.
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

/// What a client asks for, and can do. [`Display`](fmt::Display) writes it as an element of `Sec-WebSocket-Extensions`.
///
/// A server declines an offer whose demands it cannot keep. So a client with demands puts a second offer without them
/// behind, or does without compression then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Demands that the server's window starts empty in each message: the client need not keep it in between.
    pub server_no_context_takeover: bool,
    /// Says that the client's window will start empty in each message, whatever the answer.
    pub client_no_context_takeover: bool,
    /// Demands that the server's window is at most `2^n` bytes, 8 to 15.
    pub server_max_window_bits: Option<u8>,
    /// Says that the client's window will be at most `2^n` bytes, 8 to 15, and that the server may ask for less. Without
    /// it the client uses 15 and cannot be asked.
    pub client_max_window_bits: Option<u8>,
}

impl Default for Offer {
    fn default() -> Self {
        Self::ANY
    }
}

/// Takes the first offer that can be kept, in the client's order of preference; `None` declines them all.
pub fn negotiate(handshake: &Handshake<'_>, config: Config) -> Option<Params> {
    offers(handshake).find_map(|offer| offer.accept(config))
}

/// Whether one of the client's offers allows this answer.
pub(super) fn is_offered(handshake: &Handshake<'_>, answer: &Params) -> bool {
    let in_range = in_range(answer.server_max_window_bits) && in_range(answer.client_max_window_bits);
    in_range && offers(handshake).any(|offer| offer.allows(answer))
}

/// Whether an element of `Sec-WebSocket-Extensions` is about permessage-deflate at all.
pub(super) fn is_deflate(extension: &[u8]) -> bool {
    list::parameters(extension).0 == NAME.as_bytes()
}

/// What the extension of an answer means to the client that made these offers; `None` fails the connection (§7.1).
pub(super) fn agreed(extension: &[u8], offers: &[Offer]) -> Option<Params> {
    let answer = Parameters::parse(extension)?.answer()?;
    let mut answered = offers.iter().filter(|offer| offer.allows(&answer)).peekable();
    answered.peek()?;
    // The server may count on what the offer it answers says of the client, and need not repeat it. If several can be
    // meant, keep what each of them says.
    Some(answered.fold(answer, |params, offer| Params {
        client_no_context_takeover: params.client_no_context_takeover || offer.client_no_context_takeover,
        client_max_window_bits: params.client_max_window_bits.into_iter().chain(offer.own_limit()).min(),
        ..params
    }))
}

impl Offer {
    /// Demands nothing, keeps to any window: `permessage-deflate; client_max_window_bits`, as browsers have it.
    pub const ANY: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: Some(MAX_BITS),
    };

    pub(super) fn is_in_range(&self) -> bool {
        in_range(self.server_max_window_bits) && in_range(self.client_max_window_bits)
    }

    /// The client's window, where the offer says that it is not the largest.
    fn own_limit(&self) -> Option<u8> {
        self.client_max_window_bits.filter(|&bits| bits < MAX_BITS)
    }

    /// The server's answer to this offer, if it can keep what the offer demands.
    fn accept(self, config: Config) -> Option<Params> {
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

    /// Whether this offer can be answered so: every demand is repeated or outdone, and the client is asked for nothing
    /// that it did not say it can do.
    fn allows(&self, answer: &Params) -> bool {
        let context = answer.server_no_context_takeover || !self.server_no_context_takeover;
        let server = self
            .server_max_window_bits
            .is_none_or(|limit| answer.server_max_window_bits.is_some_and(|bits| bits <= limit));
        let client = answer
            .client_max_window_bits
            .is_none_or(|bits| self.client_max_window_bits.is_some_and(|limit| bits <= limit));
        context && server && client
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_start(f, self.server_no_context_takeover, self.client_no_context_takeover, self.server_max_window_bits)?;
        if let Some(bits) = self.client_max_window_bits {
            write!(f, "; client_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_start(f, self.server_no_context_takeover, self.client_no_context_takeover, self.server_max_window_bits)?;
        match self.client_max_window_bits {
            Some(MAX_BITS) => f.write_str("; client_max_window_bits"),
            Some(bits) => write!(f, "; client_max_window_bits={bits}"),
            None => Ok(()),
        }
    }
}

/// What offers and answers have in common.
fn write_start(
    f: &mut fmt::Formatter<'_>,
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
) -> fmt::Result {
    f.write_str(NAME)?;
    if server_no_context_takeover {
        f.write_str("; server_no_context_takeover")?;
    }
    if client_no_context_takeover {
        f.write_str("; client_no_context_takeover")?;
    }
    if let Some(bits) = server_max_window_bits {
        write!(f, "; server_max_window_bits={bits}")?;
    }
    Ok(())
}

/// [`Params`] in the words of the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelled {
    pub(super) params: Params,
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Spelled {
    const LONGEST: usize = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
        server_max_window_bits=255; client_max_window_bits=255"
        .len();

    pub(super) fn new(params: Params) -> Self {
        let mut spelled = Self { params, bytes: [0; Self::LONGEST], len: 0 };
        write!(spelled, "{params}").expect("the longest of all answers fits");
        spelled
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Write for Spelled {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// The offers of a request, without other extensions and without those to be declined unread.
fn offers<'h>(handshake: &'h Handshake<'_>) -> impl Iterator<Item = Offer> + 'h {
    handshake.extensions().filter_map(|extension| Parameters::parse(extension).map(Parameters::offer))
}

/// The parameters of one offer or answer, as they stand there.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// The inner one: it may come without a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` for another extension, and for a parameter that is unknown, came twice, or has a value it cannot have: such
    /// an offer is declined, such an answer fails the connection (§7.1).
    fn parse(extension: &[u8]) -> Option<Self> {
        let (name, parameters) = list::parameters(extension);
        if name != NAME.as_bytes() {
            return None;
        }
        let mut parsed = Self::default();
        for parameter in parameters {
            let parameter = parameter.ok()?;
            let repeated = match (parameter.name.as_bytes(), parameter.value) {
                (b"server_no_context_takeover", None) => {
                    core::mem::replace(&mut parsed.server_no_context_takeover, true)
                }
                (b"client_no_context_takeover", None) => {
                    core::mem::replace(&mut parsed.client_no_context_takeover, true)
                }
                (b"server_max_window_bits", Some(value)) => {
                    parsed.server_max_window_bits.replace(window_bits(value)?).is_some()
                }
                (b"client_max_window_bits", None) => parsed.client_max_window_bits.replace(None).is_some(),
                (b"client_max_window_bits", Some(value)) => {
                    parsed.client_max_window_bits.replace(Some(window_bits(value)?)).is_some()
                }
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        Some(parsed)
    }

    fn offer(self) -> Offer {
        Offer {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits.map(|bits| bits.unwrap_or(MAX_BITS)),
        }
    }

    /// In an answer `client_max_window_bits` has a value.
    fn answer(self) -> Option<Params> {
        Some(Params {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: match self.client_max_window_bits {
                Some(bits) => Some(bits?),
                None => None,
            },
        })
    }
}

/// 8 to 15, "a decimal integer value without leading zeroes".
fn window_bits(value: list::Value<'_>) -> Option<u8> {
    (8..).zip(["8", "9", "10", "11", "12", "13", "14", "15"]).find(|(_, text)| value.is(text.as_bytes())).map(|w| w.0)
}

fn in_range(bits: Option<u8>) -> bool {
    bits.is_none_or(|bits| (MIN_BITS..=MAX_BITS).contains(&bits))
}

const NAME: &str = "permessage-deflate";
const MIN_BITS: u8 = 8;
const MAX_BITS: u8 = 15;
