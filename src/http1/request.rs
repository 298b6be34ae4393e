//! A request whose head has been judged.

use super::framing::BodyLength;
use super::target::{Authority, Target};
use crate::bytes::lanes::is_name;
use crate::http::{Fields, Method, Version, list};

/// A request: its head, whole and judged, as a view over the received bytes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'b> {
    /// What is wanted.
    pub method: Method<'b>,
    /// Of what.
    pub target: Target<'b>,
    /// HTTP/1.1 stands for any later minor version too (RFC 9110 §2.5).
    pub version: Version,
    /// The header fields, in order.
    pub fields: Fields<'b>,
    pub(super) host: &'b [u8],
    pub(super) body: BodyLength,
    pub(super) wishes: Wishes,
}

/// What a request asks of the connection, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wishes(u8);

impl<'b> Request<'b> {
    /// The length of the content, as its framing says (RFC 9112 §6.3).
    pub const fn body(&self) -> BodyLength {
        self.body
    }

    /// The authority this request is for: the target's own, else the Host field's (RFC 9112 §3.3). `None` where neither
    /// names one: an empty Host, or none at all in HTTP/1.0.
    pub fn authority(&self) -> Option<Authority<'b>> {
        self.target.authority().or_else(|| Authority::parse(self.host))
    }

    /// Whether the connection persists after this request and its answer, as far as the client is concerned
    /// (RFC 9112 §9.3): unless it says `close`, and in HTTP/1.0 only if it says `keep-alive`.
    pub fn keep_alive(&self) -> bool {
        self.wishes.keep_alive(self.version)
    }

    /// Whether the client waits for `100 Continue` before it sends the content. "A server that receives a 100-continue
    /// expectation in an HTTP/1.0 request MUST ignore that expectation" (RFC 9110 §10.1.1); without content there is
    /// nothing to wait for. Any other expectation is ignored too.
    pub fn expects_continue(&self) -> bool {
        self.wishes.has(Wishes::CONTINUE) && self.version >= Version::Http11 && self.body != BodyLength::None
    }

    /// Whether the client offers to change protocols on this connection (RFC 9110 §7.8); see [`upgrades`](Self::upgrades).
    pub fn upgrade(&self) -> bool {
        self.upgrades().next().is_some()
    }

    /// The protocols the client offers to change to, the preferred first. None in HTTP/1.0: "a server MUST ignore an Upgrade
    /// header field that is received in an HTTP/1.0 request" (RFC 9110 §7.8); none without the `upgrade` connection option;
    /// and never `h2c`, which is obsolete (RFC 9113 §3.1).
    pub fn upgrades(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let offered = self.wishes.has(Wishes::UPGRADE | Wishes::UPGRADE_FIELD) && self.version >= Version::Http11;
        let fields = if offered { self.fields } else { Fields::EMPTY };
        let lines = fields.iter().filter(|field| field.name.is("upgrade"));
        lines.flat_map(|field| list::elements(field.value)).filter(|protocol| !protocol.eq_ignore_ascii_case(b"h2c"))
    }
}

impl Wishes {
    pub(super) const NONE: Self = Self(0);
    /// Connection: close
    pub(super) const CLOSE: Self = Self(1);
    /// Connection: keep-alive
    pub(super) const KEEP_ALIVE: Self = Self(1 << 1);
    /// Connection: upgrade
    pub(super) const UPGRADE: Self = Self(1 << 2);
    /// An Upgrade field
    pub(super) const UPGRADE_FIELD: Self = Self(1 << 3);
    /// Expect: 100-continue
    pub(super) const CONTINUE: Self = Self(1 << 4);

    /// Whether all of these are there.
    pub(super) const fn has(self, wishes: Self) -> bool {
        self.0 & wishes.0 == wishes.0
    }

    /// Whether the connection persists, as far as the sender of a message of that version is concerned (RFC 9112 §9.3).
    pub(super) fn keep_alive(self, version: Version) -> bool {
        !self.has(Self::CLOSE) && (version >= Version::Http11 || self.has(Self::KEEP_ALIVE))
    }

    pub(super) const fn add(&mut self, wishes: Self) {
        self.0 |= wishes.0;
    }

    /// One `Connection = #connection-option` line (RFC 9110 §7.6.1); the options are case-insensitive.
    #[inline]
    pub(super) fn connection(&mut self, value: &[u8]) {
        match Self::option(value) {
            // More than one, or one that asks for nothing.
            Self::NONE => list::elements(value).for_each(|option| self.add(Self::option(option))),
            wish => self.add(wish),
        }
    }

    /// What one connection option asks for.
    #[inline]
    fn option(option: &[u8]) -> Self {
        match option.len() {
            5 if is_name::<4>(option, b"close") => Self::CLOSE,
            7 if is_name::<4>(option, b"upgrade") => Self::UPGRADE,
            10 if is_name::<8>(option, b"keep-alive") => Self::KEEP_ALIVE,
            _ => Self::NONE,
        }
    }

    /// One `Expect = #expectation` line (RFC 9110 §10.1.1); the expectation is case-insensitive.
    pub(super) fn expect(&mut self, value: &[u8]) {
        if list::elements(value).any(|expectation| expectation.eq_ignore_ascii_case(b"100-continue")) {
            self.add(Self::CONTINUE);
        }
    }
}

impl core::ops::BitOr for Wishes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
