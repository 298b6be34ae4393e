//! A sign of life on a quiet stream.

use core::time::Duration;

use super::KEEP_ALIVE;
use crate::io::{Full, Tx};
use crate::time::{Deadlines, Instant};

/// Says when a stream was quiet for too long, and writes a comment then.
#[derive(Clone, Copy, Debug)]
pub struct KeepAlive {
    interval: Duration,
    deadlines: Deadlines<1>,
}

impl KeepAlive {
    /// 15 seconds between two comments: "To protect against such proxy servers, authors can include a comment line (one
    /// starting with a ':' character) every 15 seconds or so." (WHATWG HTML §9.2.6)
    pub const INTERVAL: Duration = Duration::from_secs(15);

    /// For a stream that begins at `now`, and that shall not be quiet for longer than `interval`
    /// ([`INTERVAL`](Self::INTERVAL) where nothing speaks for another).
    pub fn new(now: Instant, interval: Duration) -> Self {
        let mut keep_alive = Self { interval, deadlines: Deadlines::new() };
        keep_alive.sent(now);
        keep_alive
    }

    /// Something was sent: no comment is needed for another interval.
    pub fn sent(&mut self, now: Instant) {
        self.deadlines.set(QUIET, now, Some(self.interval));
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Writes a comment if it is time; early or twice, it does nothing.
    ///
    /// # Errors
    /// `Full` when `tx` has no room: what is in it still has to be sent, which is a sign of life too.
    pub fn handle_timeout(&mut self, now: Instant, tx: &mut Tx<'_>) -> Result<(), Full> {
        if self.deadlines.due(now).is_some() {
            tx.put(KEEP_ALIVE)?;
            self.sent(now);
        }
        Ok(())
    }
}

const QUIET: usize = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_only_when_quiet() {
        let seconds = |n: u64| Instant::from_millis(n * 1000);
        let (mut keep_alive, mut out) = (KeepAlive::new(seconds(3), KeepAlive::INTERVAL), [0; 4]);
        let mut tx = Tx::new(&mut out);
        assert_eq!(keep_alive.poll_timeout(), Some(seconds(18)));
        keep_alive.sent(seconds(10));
        assert_eq!(keep_alive.poll_timeout(), Some(seconds(25)));
        assert_eq!(keep_alive.handle_timeout(seconds(24), &mut tx), Ok(()));
        assert!(tx.is_empty());
        assert_eq!(keep_alive.handle_timeout(seconds(25), &mut tx), Ok(()));
        assert_eq!(keep_alive.handle_timeout(seconds(26), &mut tx), Ok(()));
        assert_eq!(tx.written(), b":\n\n");
        assert_eq!(keep_alive.handle_timeout(seconds(40), &mut tx), Err(Full { needed: 3 }));
    }
}
