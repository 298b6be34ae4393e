//! What is kept of a field section, and what is added.

use core::mem;

use crate::bytes::scan;
use crate::http::hop::{Class, Known, Nominated};
use crate::http::{Field, Fields, trim};

/// A field section as it leaves: what is added before the fields that are kept, those, and what is added behind them.
pub(crate) trait Section<'b> {
    fn kept(&self) -> &Kept<'b>;

    fn each_before(&self, f: &mut impl FnMut(&str, Value<'_>));

    fn each_behind(&self, f: &mut impl FnMut(&str, Value<'_>));

    fn each(&self, mut f: impl FnMut(&str, Value<'_>)) {
        self.each_before(&mut f);
        self.kept().iter().for_each(|field| f(field.name.as_str(), Value::new(&[field.value])));
        self.each_behind(&mut f);
    }
}

/// The fields of a section that go on, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'b> {
    pub(crate) received: Fields<'b>,
    pub(super) nominated: Nominated,
    pub(super) without: Without,
    /// Names that the intermediary sets itself.
    pub(super) set: &'b [(&'b str, &'b [u8])],
}

/// What is kept at one place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'b> {
    /// Any number of `name ": " value CRLF`, the value not empty and without white space around it.
    Lines(&'b [u8]),
    /// A field that came with other white space.
    Field { name: &'b [u8], value: &'b [u8] },
}

/// Fields with a rule that are left out this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Without(u32);

impl Without {
    /// What belongs to the connection a message came by: hop-by-hop fields, and its framing.
    pub(super) const CONNECTION: Self = Self(0)
        .and(Known::Connection)
        .and(Known::Http2Settings)
        .and(Known::KeepAlive)
        .and(Known::ProxyConnection)
        .and(Known::Te)
        .and(Known::TransferEncoding)
        .and(Known::Upgrade)
        .and(Known::ContentLength);

    pub(super) const fn and(self, known: Known) -> Self {
        Self(self.0 | 1 << known as u8)
    }

    #[inline]
    const fn has(self, known: Known) -> bool {
        self.0 & (1 << known as u8) != 0
    }
}

impl<'b> Kept<'b> {
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = Field<'b>> {
        self.received.iter().filter(|field| self.keeps(field.name.as_bytes()))
    }

    /// As [`iter`](Self::iter), with lines that stand together, and as they would be written, in one run.
    #[inline]
    pub(crate) fn each_run(&self, mut f: impl FnMut(Run<'b>)) {
        let lines = self.received.as_bytes();
        let slice = |from: usize, to: usize| lines.get(from..to).unwrap_or_default();
        let (mut run, mut at) = (0, 0);
        while at < lines.len() {
            let rest = slice(at, lines.len());
            let (colon, end) = (scan::find(b':', rest), scan::find(b'\r', rest));
            let next = at + end + 2;
            let keeps = self.keeps(slice(at, at + colon));
            let (before, value) = (slice(at + colon, at + colon + 3), slice(at + colon + 2, at + end));
            let is_plain = matches!(before, [b':', b' ', b'!'..=0xff]) && !matches!(value, [.., b' ' | b'\t']);
            if !(keeps && is_plain) {
                f(Run::Lines(slice(run, at)));
                if keeps {
                    f(Run::Field { name: slice(at, at + colon), value: trim(slice(at + colon + 1, at + end)) });
                }
                run = next;
            }
            at = next;
        }
        f(Run::Lines(slice(run, at)));
    }

    #[inline]
    fn keeps(&self, name: &[u8]) -> bool {
        let known = Known::of(name);
        let is_left_out = self.without.has(known)
            || (known.class() == Class::Free && self.nominated.has(name))
            || self.set.iter().any(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name));
        !is_left_out
    }
}

/// All values that came under one name as a single value: "A recipient MAY combine multiple field lines within a field section
/// that have the same field name into one field line" (RFC 9110 §5.3). `None` if there is none, and for Set-Cookie, whose lines
/// "cannot be combined into a single field value": "recipients ought to handle 'Set-Cookie' as a special case". Lines of Cookie,
/// which is no list, are "concatenated into a single octet string using the two-octet delimiter" of `; ` (RFC 9113 §8.2.3).
pub fn combined<'a>(fields: Fields<'a>, name: &'a str) -> Option<Value<'a>> {
    let may = fields.contains(name) && !name.eq_ignore_ascii_case("set-cookie");
    may.then_some(Value::after(fields, name, &[]))
}

/// The value of a field that leaves, in the pieces it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// Values that came under this name: they make one list with what is added (RFC 9110 §5.3).
    before: Option<(Fields<'a>, &'a str)>,
    own: &'a [&'a [u8]],
}

impl<'a> Value<'a> {
    pub(super) const fn new(own: &'a [&'a [u8]]) -> Self {
        Self { before: None, own }
    }

    /// What came under that name, and `own` behind it.
    pub(super) const fn after(received: Fields<'a>, name: &'a str, own: &'a [&'a [u8]]) -> Self {
        Self { before: if received.is_empty() { None } else { Some((received, name)) }, own }
    }

    /// The bytes it is made of, one after the other.
    pub fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let (fields, name) = self.before.unwrap_or((Fields::EMPTY, ""));
        let values = move || fields.into_iter().filter(move |field| field.name.is(name) && !field.value.is_empty());
        let is_behind = !self.own.is_empty() && values().next().is_some();
        let comma: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b", " };
        let joint: &[u8] = if is_behind { comma } else { b"" };
        let mut between: &[u8] = b"";
        let before = values().flat_map(move |field| [mem::replace(&mut between, comma), field.value]);
        before.chain([joint]).chain(self.own.iter().copied())
    }

    /// The same, one call for each.
    #[inline]
    pub(crate) fn each(self, mut f: impl FnMut(&'a [u8])) {
        if self.before.is_some() {
            return self.pieces().for_each(f);
        }
        self.own.iter().for_each(|piece| f(piece));
    }

    /// How many bytes that are.
    #[inline]
    pub fn len(self) -> usize {
        let mut len = 0;
        self.each(|piece| len += piece.len());
        len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Which trailers of a message go on. It borrows nothing, for trailers come when the header is gone.
#[derive(Clone, Copy, Debug)]
pub struct Trailers {
    relayed: bool,
    nominated: Nominated,
}

impl Trailers {
    pub(super) const fn new(relayed: bool, nominated: Nominated) -> Self {
        Self { relayed, nominated }
    }

    /// The trailer fields that go on, in order: none unless the recipient takes them (RFC 9110 §6.5.1), and of those neither
    /// the hop-by-hop ones nor what the header's `Connection` named (§7.6.1).
    ///
    /// "A recipient MUST NOT merge a trailer field into a header section": they stay trailers.
    pub fn of<'b>(&self, trailers: Fields<'b>) -> impl Iterator<Item = Field<'b>> {
        let trailers = if self.relayed { trailers } else { Fields::EMPTY };
        trailers.into_iter().filter(|field| {
            let name = field.name.as_bytes();
            // No field with a rule for forwarding may come last: all of them frame, route or control.
            Known::of(name) == Known::Other && !self.nominated.has(name)
        })
    }
}
