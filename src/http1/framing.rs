//! How long a message's content is (RFC 9112 §6).

use super::violation::{Ambiguous, Malformed, Unsupported, Violation};
use crate::bytes::num;
use crate::http::{Method, Status, Version, list};

/// The length of a request's content, or of any content that is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// No content.
    None,
    /// So many bytes; of a request at least one.
    Length(u64),
    /// In chunks, until the last one (RFC 9112 §7.1).
    Chunked,
}

/// The length of a response's content: unlike a request, it can be as long as the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseLength {
    /// No content.
    None,
    /// So many bytes, at least one.
    Length(u64),
    /// In chunks, until the last one (RFC 9112 §7.1).
    Chunked,
    /// All that comes until the server closes the connection.
    UntilClose,
}

impl From<BodyLength> for ResponseLength {
    fn from(length: BodyLength) -> Self {
        match length {
            BodyLength::None => Self::None,
            BodyLength::Length(length) => Self::Length(length),
            BodyLength::Chunked => Self::Chunked,
        }
    }
}

/// What of a request its response's length depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Head,
    Connect,
    Other,
}

/// What the fields of a head say about the length of the content, gathered line by line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Content-Length, if `has_length`.
    length: u64,
    has_length: bool,
    coding: Coding,
    /// What is wrong with the Content-Length of a response, where it counts.
    fault: Option<Violation>,
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
    /// Something after chunked, but not chunked.
    AfterChunked,
    /// Chunked more than once.
    ChunkedTwice,
}

impl Facts {
    pub(super) const fn new() -> Self {
        Self { length: 0, has_length: false, coding: Coding::Absent, fault: None }
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

    /// Content-Length of a response, one line of it. What is wrong is kept for [`judge_response`](Self::judge_response),
    /// for some responses end with their head "regardless of the header fields present in the message" (RFC 9112 §6.3).
    pub(super) fn response_content_length(&mut self, value: &[u8]) {
        if let Err(fault) = self.same_lengths(value) {
            self.fault = Some(fault);
        }
    }

    /// Invalid "unless the field value can be successfully parsed as a comma-separated list [..], all values in the list are
    /// valid, and all values in the list are the same" (RFC 9112 §6.3, rule 5); several lines are one list.
    fn same_lengths(&mut self, value: &[u8]) -> Result<(), Violation> {
        const MALFORMED: Violation = Violation::Malformed(Malformed::ContentLength);
        if !self.has_length
            && let Some(length) = num::decimal(value)
        {
            (self.length, self.has_length) = (length, true);
            return Ok(());
        }
        let mut elements = list::elements(value).peekable();
        if elements.peek().is_none() {
            return Err(MALFORMED);
        }
        for element in elements {
            let length = num::decimal(element).ok_or(MALFORMED)?;
            if self.has_length && length != self.length {
                return Err(Violation::Ambiguous(Ambiguous::LengthRepeated));
            }
            (self.length, self.has_length) = (length, true);
        }
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
        if !has_coding && !self.has_length {
            return Ok(BodyLength::None);
        }
        // 3. "If a message is received with both a Transfer-Encoding and a Content-Length header field [..] ought to be
        //    handled as an error." And §6.1: "A server or client that receives an HTTP/1.0 message containing a
        //    Transfer-Encoding header field MUST treat the message as if the framing is faulty".
        if self.has_coding_before_http11(version) {
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
            Coding::Empty | Coding::Other | Coding::AfterChunked | Coding::ChunkedTwice => {
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

    /// The length of a response's content (RFC 9112 §6.3); rule 7 is about requests.
    #[inline]
    pub(super) fn judge_response(
        &self,
        version: Version,
        status: Status,
        asked: Asked,
    ) -> Result<ResponseLength, Violation> {
        // 1. "Any response to a HEAD request and any response with a 1xx (Informational), 204 (No Content), or 304 (Not
        //    Modified) status code is always terminated by the first empty line after the header fields".
        // 2. "Any 2xx (Successful) response to a CONNECT request implies that the connection will become a tunnel
        //    immediately after the empty line". "A client MUST ignore any Content-Length or Transfer-Encoding".
        if asked == Asked::Head
            || status.is_informational()
            || matches!(status, Status::NO_CONTENT | Status::NOT_MODIFIED)
            || (asked == Asked::Connect && status.is_successful())
        {
            return Ok(ResponseLength::None);
        }
        // 3. As for a request.
        if self.has_coding_before_http11(version) {
            return Err(Violation::Ambiguous(Ambiguous::CodingInHttp10));
        }
        if self.coding != Coding::Absent && (self.has_length || self.fault.is_some()) {
            return Err(Violation::Ambiguous(Ambiguous::LengthAndCoding));
        }
        match (self.coding, self.fault) {
            // 4. The content of `gzip, chunked` ends with the last chunk too, whatever is in them.
            (Coding::Chunked | Coding::OtherThenChunked, _) => Ok(ResponseLength::Chunked),
            // §6.1: "A sender MUST NOT apply the chunked transfer coding more than once".
            (Coding::ChunkedTwice, _) => Err(Violation::Malformed(Malformed::TransferEncoding)),
            // "If a Transfer-Encoding header field is present in a response and the chunked transfer coding is not the
            // final encoding, the message body length is determined by reading the connection until it is closed".
            (Coding::Empty | Coding::Other | Coding::AfterChunked, _) => Ok(ResponseLength::UntilClose),
            // 5. "the recipient MUST treat it as an unrecoverable error".
            (Coding::Absent, Some(fault)) => Err(fault),
            // 6. As for a request.
            (Coding::Absent, None) if self.length > 0 => Ok(ResponseLength::Length(self.length)),
            (Coding::Absent, None) if self.has_length => Ok(ResponseLength::None),
            // 8. "Otherwise, this is a response message without a declared message body length".
            (Coding::Absent, None) => Ok(ResponseLength::UntilClose),
        }
    }

    /// "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the
    /// message as if the framing is faulty, even if a Content-Length is present, and close the connection" (§6.1).
    pub(super) fn has_coding_before_http11(&self, version: Version) -> bool {
        self.coding != Coding::Absent && version < Version::Http11
    }
}

impl Asked {
    pub(super) const fn by(method: Method<'_>) -> Self {
        match method {
            Method::Head => Self::Head,
            Method::Connect => Self::Connect,
            _ => Self::Other,
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
            Self::ChunkedTwice => Self::ChunkedTwice,
            Self::Chunked | Self::OtherThenChunked | Self::AfterChunked if is_chunked => Self::ChunkedTwice,
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

    #[test]
    fn rules_of_section_6_3_for_responses() {
        const BAD_LENGTH: Violation = Violation::Malformed(Malformed::ContentLength);
        const REPEATED: Violation = Violation::Ambiguous(Ambiguous::LengthRepeated);
        const BOTH: Violation = Violation::Ambiguous(Ambiguous::LengthAndCoding);
        const TWICE: Violation = Violation::Malformed(Malformed::TransferEncoding);
        type JudgedResponse = Result<ResponseLength, Violation>;
        let cases: [(&[&str], &[&str], JudgedResponse); 24] = [
            (&[], &[], Ok(ResponseLength::UntilClose)),
            (&["0"], &[], Ok(ResponseLength::None)),
            (&["5"], &[], Ok(ResponseLength::Length(5))),
            (&["5", "5"], &[], Ok(ResponseLength::Length(5))),
            (&["5, 5", "05,"], &[], Ok(ResponseLength::Length(5))),
            (&["0, 0"], &[], Ok(ResponseLength::None)),
            (&["5", "6"], &[], Err(REPEATED)),
            (&["5, 6"], &[], Err(REPEATED)),
            (&["6", "5", "5"], &[], Err(REPEATED)),
            (&[""], &[], Err(BAD_LENGTH)),
            (&[","], &[], Err(BAD_LENGTH)),
            (&["+5"], &[], Err(BAD_LENGTH)),
            (&["5, x"], &[], Err(BAD_LENGTH)),
            (&["18446744073709551616"], &[], Err(BAD_LENGTH)),
            (&[], &["Chunked"], Ok(ResponseLength::Chunked)),
            (&[], &["gzip, chunked"], Ok(ResponseLength::Chunked)),
            (&[], &["chunked, gzip"], Ok(ResponseLength::UntilClose)),
            (&[], &["identity"], Ok(ResponseLength::UntilClose)),
            (&[], &[""], Ok(ResponseLength::UntilClose)),
            (&[], &["chunked, chunked"], Err(TWICE)),
            (&[], &["chunked", "gzip", "chunked"], Err(TWICE)),
            (&[], &["chunked, chunked, gzip"], Err(TWICE)),
            (&["5"], &["chunked"], Err(BOTH)),
            (&["x"], &["gzip"], Err(BOTH)),
        ];
        for (lengths, codings, expected) in cases {
            let mut facts = Facts::new();
            lengths.iter().for_each(|value| facts.response_content_length(value.as_bytes()));
            codings.iter().for_each(|value| facts.transfer_encoding(value.as_bytes()));
            let judge = |version, status, asked| facts.judge_response(version, status, asked);
            let faulty = Err(Violation::Ambiguous(Ambiguous::CodingInHttp10));
            for asked in [Asked::Connect, Asked::Other] {
                let status = Status::NOT_FOUND;
                assert_eq!(judge(Version::Http11, status, asked), expected, "{lengths:?} {codings:?}");
                let old = if codings.is_empty() { expected } else { faulty };
                assert_eq!(judge(Version::Http10, status, asked), old, "{lengths:?} {codings:?}");
            }
            for (status, asked) in [
                (Status::OK, Asked::Head),
                (Status::NOT_FOUND, Asked::Head),
                (Status::CONTINUE, Asked::Other),
                (Status::NO_CONTENT, Asked::Other),
                (Status::NOT_MODIFIED, Asked::Other),
                (Status::OK, Asked::Connect),
            ] {
                assert_eq!(judge(Version::Http11, status, asked), Ok(ResponseLength::None), "{lengths:?} {codings:?}");
            }
        }
    }
}
