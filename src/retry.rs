//! When to try again: what the clients of streams and of polls share.

use core::time::Duration;

use crate::Entropy;
use crate::bytes::num;
use crate::http::HttpDate;

/// Waits that double from failure to failure, spread so that clients who lost the same server at the same moment do not
/// come back at the same moment: not the first time either.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    /// There was progress.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// There was a failure: how long to wait, from `base` (or what the server said) to half as much more.
    pub(crate) fn next(&mut self, base: Duration, server: Option<Duration>, entropy: &mut impl Entropy) -> Duration {
        let doubled = base.max(self.min).saturating_mul(1 << self.failures.min(MOST_DOUBLINGS)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        let wait = server.map_or(doubled, |server| server.max(doubled));
        wait.saturating_add(below(wait / 2, entropy))
    }
}

/// `Retry-After = HTTP-date / delay-seconds` (RFC 9110 §10.2.3). A date counts from the `Date` of the same answer, for
/// the clocks of both ends may differ.
pub(crate) fn retry_after(value: &[u8], date: Option<&[u8]>) -> Option<Duration> {
    if let Some(seconds) = num::decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let epoch = HttpDate::from_unix(0)?;
    let date = HttpDate::parse(date?, epoch)?;
    let seconds = HttpDate::parse(value, date)?.unix() - date.unix();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A time from zero up to `limit`, all alike.
pub(crate) fn below(limit: Duration, entropy: &mut impl Entropy) -> Duration {
    let mut random = [0; 4];
    entropy.fill(&mut random);
    let nanos = (limit.as_nanos() * u128::from(u32::from_le_bytes(random))) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// 2^16 times the shortest wait is more than the longest.
const MOST_DOUBLINGS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_from_the_first_on() {
        let mut backoff = Backoff::new(SECOND / 2, 20 * SECOND);
        let mut wait = |byte: u8, server| {
            let wait = backoff.next(3 * SECOND, server, &mut |bytes: &mut [u8]| bytes.fill(byte));
            if byte == 9 {
                backoff.reset();
            }
            wait.as_millis()
        };
        assert_eq!([0; 5].map(|byte| wait(byte, None)), [3000, 6000, 12_000, 20_000, 20_000]);
        wait(9, None);
        assert_eq!(wait(255, None), 4499, "half as much more at most, the first time too");
        assert_eq!(wait(0, Some(60 * SECOND)), 60_000, "the server's word counts past the longest");
        assert_eq!(wait(0, Some(SECOND)), 12_000, "and not for less than our own wait");
        let mut backoff = Backoff::new(SECOND / 2, 20 * SECOND);
        assert_eq!(backoff.next(Duration::ZERO, None, &mut |bytes: &mut [u8]| bytes.fill(0)), SECOND / 2);
        for _ in 0..100 {
            backoff.next(Duration::MAX, None, &mut |bytes: &mut [u8]| bytes.fill(0));
        }
        assert_eq!(backoff.next(Duration::MAX, None, &mut |bytes: &mut [u8]| bytes.fill(0)), 20 * SECOND);
        let mut without_end = Backoff::new(SECOND, Duration::MAX);
        assert_eq!(without_end.next(Duration::MAX, None, &mut |bytes: &mut [u8]| bytes.fill(255)), Duration::MAX);
    }

    #[test]
    fn retry_after_in_seconds_or_from_one_date_to_another() {
        let date = Some(&b"Sun, 06 Nov 1994 08:49:37 GMT"[..]);
        for (value, date, seconds) in [
            (&b"120"[..], None, Some(120)),
            (b"+5", date, None),
            (b"Sun, 06 Nov 1994 08:50:00 GMT", date, Some(23)),
            (b"Sun, 06 Nov 1994 08:49:00 GMT", date, Some(0)),
            (b"Sun, 06 Nov 1994 08:50:00 GMT", None, None),
            (b"soon", date, None),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{}", value.escape_ascii());
        }
    }
}
