//! How long a message's content is (RFC 9112 §6).

use super::error::{Ambiguous, Malformed, Unsupported, Violation};
use crate::bytes::num;
use crate::http::{Version, list};

/// The length of a message's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// No content.
    None,
    /// So many bytes; of a request at least one.
    Length(u64),
    /// In chunks, until the last one (RFC 9112 §7.1).
    Chunked,
}

/// What the fields of a head say about the length of the content, gathered line by line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Content-Length, if `has_length`.
    length: u64,
    has_length: bool,
    coding: Coding,
}

/// What all lines of Transfer-Encoding together say so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// No such field.
    Absent,
    /// The field, but no coding in it.
    Empty,
    /// Codings, chunked not among them.
    Other,
    /// Chunked alone.
    Chunked,
    /// Other codings, then chunked.
    OtherThenChunked,
    /// Something after chunked.
    AfterChunked,
}

impl Facts {
    pub(super) const fn new() -> Self {
        Self { length: 0, has_length: false, coding: Coding::Absent }
    }

    /// `Content-Length = 1*DIGIT` (RFC 9110 §8.6). A list of the same number, which a recipient MAY accept, is refused.
    #[inline]
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), Violation> {
        self.length = num::decimal(value).ok_or(Violation::Malformed(Malformed::ContentLength))?;
        if self.has_length {
            return Err(Violation::Ambiguous(Ambiguous::LengthRepeated));
        }
        self.has_length = true;
        Ok(())
    }

    /// `Transfer-Encoding = #transfer-coding` (RFC 9112 §6.1), one line of it.
    pub(super) fn transfer_encoding(&mut self, value: &[u8]) {
        if self.coding == Coding::Absent {
            self.coding = Coding::Empty;
        }
        list::elements(value).for_each(|coding| self.coding = self.coding.then(coding));
    }

    /// The length of a request's content (RFC 9112 §6.3); rules 1, 2 and 8 are about responses.
    pub(super) fn judge_request(&self, version: Version, is_connect: bool) -> Result<BodyLength, Violation> {
        let has_coding = self.coding != Coding::Absent;
        // 3. "If a message is received with both a Transfer-Encoding and a Content-Length header field [..] ought to be
        //    handled as an error." And §6.1: "A server or client that receives an HTTP/1.0 message containing a
        //    Transfer-Encoding header field MUST treat the message as if the framing is faulty".
        if has_coding && version < Version::Http11 {
            return Err(Violation::Ambiguous(Ambiguous::CodingInHttp10));
        }
        if has_coding && self.has_length {
            return Err(Violation::Ambiguous(Ambiguous::LengthAndCoding));
        }
        // A tunnel's bytes follow the head of a CONNECT: it "does not have content" (RFC 9110 §9.3.6).
        if is_connect && (has_coding || self.length > 0) {
            return Err(Violation::Ambiguous(Ambiguous::ConnectContent));
        }
        match self.coding {
            // 4. "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the
            //    final encoding [..] the server MUST respond with the 400 (Bad Request) status code".
            //    §6.1: "A sender MUST NOT apply the chunked transfer coding more than once".
            Coding::Empty | Coding::Other | Coding::AfterChunked => {
                Err(Violation::Malformed(Malformed::TransferEncoding))
            }
            // §6.1: "A server that receives a request message with a transfer coding it does not understand SHOULD respond
            //        with 501 (Not Implemented)."
            Coding::OtherThenChunked => Err(Violation::Unsupported(Unsupported::TransferCoding)),
            Coding::Chunked => Ok(BodyLength::Chunked),
            // 5. An invalid Content-Length was refused at its line.
            // 6. "If a valid Content-Length header field is present without Transfer-Encoding, its decimal value defines the
            //    expected message body length in octets."
            Coding::Absent if self.length > 0 => Ok(BodyLength::Length(self.length)),
            // 7. "If this is a request message and none of the above are true, then the message body length is zero".
            Coding::Absent => Ok(BodyLength::None),
        }
    }
}

impl Coding {
    fn then(self, coding: &[u8]) -> Self {
        let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        match self {
            Self::Absent | Self::Empty if is_chunked => Self::Chunked,
            Self::Other if is_chunked => Self::OtherThenChunked,
            Self::Absent | Self::Empty | Self::Other => Self::Other,
            Self::Chunked | Self::OtherThenChunked | Self::AfterChunked => Self::AfterChunked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Judged = Result<BodyLength, Violation>;

    fn judge(version: Version, lengths: &[&str], codings: &[&str]) -> Judged {
        let mut facts = Facts::new();
        for value in lengths {
            facts.content_length(value.as_bytes())?;
        }
        codings.iter().for_each(|value| facts.transfer_encoding(value.as_bytes()));
        facts.judge_request(version, false)
    }

    #[test]
    fn rules_of_section_6_3() {
        const NOT_LAST: Judged = Err(Violation::Malformed(Malformed::TransferEncoding));
        const UNKNOWN: Judged = Err(Violation::Unsupported(Unsupported::TransferCoding));
        const BAD_LENGTH: Judged = Err(Violation::Malformed(Malformed::ContentLength));
        const BOTH: Judged = Err(Violation::Ambiguous(Ambiguous::LengthAndCoding));
        const REPEATED: Judged = Err(Violation::Ambiguous(Ambiguous::LengthRepeated));
        let cases: [(&[&str], &[&str], Judged); 22] = [
            (&[], &[], Ok(BodyLength::None)),
            (&["0"], &[], Ok(BodyLength::None)),
            (&["010"], &[], Ok(BodyLength::Length(10))),
            (&["18446744073709551615"], &[], Ok(BodyLength::Length(u64::MAX))),
            (&["18446744073709551616"], &[], BAD_LENGTH),
            (&[""], &[], BAD_LENGTH),
            (&["5,5"], &[], BAD_LENGTH),
            (&["5", "5"], &[], REPEATED),
            (&["0", "0"], &[], REPEATED),
            (&[], &["chunked"], Ok(BodyLength::Chunked)),
            (&[], &[",CHUNKED,"], Ok(BodyLength::Chunked)),
            (&[], &["", "chunked"], Ok(BodyLength::Chunked)),
            (&["0"], &["chunked"], BOTH),
            (&["0"], &[""], BOTH),
            (&[], &[""], NOT_LAST),
            (&[], &["gzip"], NOT_LAST),
            (&[], &["chunked", "chunked"], NOT_LAST),
            (&[], &["chunked, chunked"], NOT_LAST),
            (&[], &["chunked;a=b"], NOT_LAST),
            (&[], &["gzip, chunked, gzip"], NOT_LAST),
            (&[], &["gzip, chunked"], UNKNOWN),
            (&[], &["gzip", "chunked"], UNKNOWN),
        ];
        for (lengths, codings, expected) in cases {
            assert_eq!(judge(Version::Http11, lengths, codings), expected, "{lengths:?} {codings:?}");
        }
        let old = judge(Version::Http10, &[], &["chunked"]);
        assert_eq!(old, Err(Violation::Ambiguous(Ambiguous::CodingInHttp10)));
    }

    #[test]
    fn a_tunnel_has_no_content() {
        let mut facts = Facts::new();
        assert_eq!(facts.judge_request(Version::Http11, true), Ok(BodyLength::None));
        facts.content_length(b"1").unwrap();
        let refused = Err(Violation::Ambiguous(Ambiguous::ConnectContent));
        assert_eq!(facts.judge_request(Version::Http11, true), refused);
    }
}
