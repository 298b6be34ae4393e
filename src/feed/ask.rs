//! What a poll asks for.
//!
//! ```text
//! query  = param *( "&" param )            ; parameters of other names are not the feed's
//! param  = "cursor=" start                 ; "oldest" unless given
//!        / "wait=" 1*DIGIT                 ; seconds to hold the poll when there is nothing new; 0: answer at once
//!        / "client=" 1*16HEXDIG            ; who asks: a random number of the client's own
//! ```

use core::fmt;
use core::time::Duration;

use super::{Start, cursor};
use crate::bytes::num;

/// A poll, as its request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Where to begin.
    pub start: Start,
    /// For how long to be held; `None`: as the server likes.
    pub wait: Option<Duration>,
    /// Who asks, if that was said.
    pub client: Option<u64>,
    /// `If-None-Match`, of a poll that is not held.
    pub if_none_match: Option<&'a [u8]>,
}

impl Ask<'_> {
    /// Reads the query of a request target. `None` is a bad request (400): a parameter of the feed's is malformed or there twice.
    pub fn parse(query: &[u8]) -> Option<Self> {
        let (mut start, mut wait, mut client) = (None, None, None);
        for param in query.split(|&b| b == b'&') {
            let at = param.iter().position(|&b| b == b'=').unwrap_or(param.len());
            let (name, value) = (&param[..at], param.get(at + 1..).unwrap_or(&[]));
            let repeated = match name {
                b"cursor" => start.replace(Start::parse(value)?).is_some(),
                b"wait" => wait.replace(Duration::from_secs(num::decimal(value)?)).is_some(),
                b"client" => client.replace(cursor::hex(value)?).is_some(),
                _ => false,
            };
            if repeated {
                return None;
            }
        }
        Some(Self { start: start.unwrap_or(Start::Oldest), wait, client, if_none_match: None })
    }
}

/// Writes the query.
impl fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cursor={}", self.start)?;
        if let Some(wait) = self.wait {
            write!(f, "&wait={}", wait.as_secs())?;
        }
        match self.client {
            Some(client) => write!(f, "&client={client:x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Cursor;

    #[test]
    fn queries_are_read_strictly_and_other_parameters_passed_over() {
        let all = Ask {
            start: Start::After(Cursor { epoch: 0x9f, seq: 3 }),
            wait: Some(Duration::from_secs(25)),
            client: Some(0xa1),
            if_none_match: None,
        };
        assert_eq!(std::format!("{all}"), "cursor=9f.3&wait=25&client=a1");
        assert_eq!(Ask::parse(b"cursor=9f.3&wait=25&client=a1"), Some(all));
        assert_eq!(Ask::parse(b"x&client=A1&&y=cursor=&wait=25&cursor=9f.3"), Some(all));
        let least = Ask { start: Start::Oldest, wait: None, client: None, if_none_match: None };
        assert_eq!(Ask::parse(b""), Some(least));
        for bad in [
            "cursor",
            "cursor=",
            "cursor=9F.1",
            "wait=-1",
            "wait=1.5",
            "wait=",
            "client=",
            "client=g",
            "wait=1&wait=1",
            "client=1&client=1",
            "cursor=now&cursor=now",
            "client=00000000000000001",
        ] {
            assert_eq!(Ask::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
