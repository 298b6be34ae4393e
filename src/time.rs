//! Time as a value: the caller's clock comes in as [`Instant`], deadlines go out as `Option<Instant>`.
//!
//! A thread with many connections keeps them in a heap or a tree, by the `poll_timeout()` of each. What a peer sends mostly
//! moves its deadline to later, and `handle_timeout` early does nothing: so an entry may stay until it comes, and be put in anew
//! then. Only a deadline that is earlier than its entry must be put in at once.

use core::time::Duration;

/// A point on the caller's monotonic clock: nanoseconds since an epoch of the caller's choice.
///
/// ```
/// use hopwire::time::Instant;
///
/// let epoch = std::time::Instant::now(); // one a program, or a thread
/// let now = || Instant::from(epoch.elapsed());
/// assert!(now() <= now());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The caller's epoch.
    pub const ZERO: Self = Self(0);

    /// `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `millis` milliseconds after the epoch, saturating after some 584 years.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// `self + duration`; `None` lies past the end of time: a deadline that never fires.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Self)
    }

    /// The time from `earlier` to `self`, zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// So long after the epoch, saturating after some 584 years.
impl From<Duration> for Instant {
    fn from(since_epoch: Duration) -> Self {
        Self(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A timeout as an engine keeps it: milliseconds, rounded up; `u32::MAX` (49 days) and more is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Millis(u32);

impl From<Option<Duration>> for Millis {
    fn from(timeout: Option<Duration>) -> Self {
        let millis = timeout.map(|timeout| timeout.as_nanos().div_ceil(1_000_000));
        Self(millis.and_then(|millis| u32::try_from(millis).ok()).unwrap_or(u32::MAX))
    }
}

impl From<Millis> for Option<Duration> {
    fn from(Millis(millis): Millis) -> Self {
        (millis != u32::MAX).then(|| Duration::from_millis(millis.into()))
    }
}

/// The deadlines of one engine, as data: one slot a kind, `u64::MAX` when off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines<const N: usize>([u64; N]);

impl<const N: usize> Deadlines<N> {
    pub(crate) const fn new() -> Self {
        Self([u64::MAX; N])
    }

    /// Starts slot `kind`, `after` from `now`; `None` switches it off.
    pub(crate) fn set(&mut self, kind: usize, now: Instant, after: Option<Duration>) {
        let at = after.and_then(|after| now.checked_add(after));
        self.0[kind] = at.map_or(u64::MAX, Instant::as_nanos);
    }

    pub(crate) const fn clear(&mut self, kind: usize) {
        self.0[kind] = u64::MAX;
    }

    const fn is_set(&self, kind: usize) -> bool {
        self.0[kind] != u64::MAX
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().copied().filter(|&at| at != u64::MAX).min().map(Instant)
    }

    /// The slot that is due at `now`, the earliest first.
    pub(crate) fn due(&self, now: Instant) -> Option<usize> {
        (0..N).filter(|&kind| self.0[kind] <= now.0 && self.is_set(kind)).min_by_key(|&kind| self.0[kind])
    }
}

/// Deadlines that come the same time after they are started each time: one slot a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers<const N: usize> {
    deadlines: Deadlines<N>,
    after: [Millis; N],
}

impl<const N: usize> Timers<N> {
    /// None is running; a kind without a timeout never will be.
    pub(crate) fn new(timeouts: [Option<Duration>; N]) -> Self {
        Self { deadlines: Deadlines::new(), after: timeouts.map(Millis::from) }
    }

    /// Starts slot `kind`, unless it is running.
    pub(crate) fn start(&mut self, kind: usize, now: Instant) {
        if !self.deadlines.is_set(kind) {
            self.deadlines.set(kind, now, self.after[kind].into());
        }
    }

    /// Stops slot `kind`.
    pub(crate) const fn stop(&mut self, kind: usize) {
        self.deadlines.clear(kind);
    }

    /// Stops them all.
    pub(crate) const fn stop_all(&mut self) {
        self.deadlines = Deadlines::new();
    }

    /// See [`Deadlines::next`].
    pub(crate) fn next(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// See [`Deadlines::due`].
    pub(crate) fn due(&self, now: Instant) -> Option<usize> {
        self.deadlines.due(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_due_at_its_time_and_not_before() {
        let mut deadlines = Deadlines::<2>::new();
        assert_eq!((deadlines.next(), deadlines.due(Instant(u64::MAX - 1))), (None, None));
        deadlines.set(1, Instant::ZERO, Some(Duration::from_nanos(10)));
        deadlines.set(0, Instant::ZERO, Some(Duration::from_nanos(20)));
        assert_eq!(deadlines.next(), Some(Instant(10)));
        assert_eq!(deadlines.due(Instant(9)), None);
        assert_eq!(deadlines.due(Instant(10)), Some(1));
        assert_eq!(deadlines.due(Instant(30)), Some(1));
        deadlines.clear(1);
        assert_eq!(deadlines.due(Instant(30)), Some(0));
        deadlines.set(0, Instant(5), None);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn past_the_end_of_time_is_never() {
        let mut deadlines = Deadlines::<1>::new();
        deadlines.set(0, Instant(u64::MAX - 5), Some(Duration::from_secs(1)));
        assert_eq!(deadlines.next(), None);
        assert_eq!(Instant(5).saturating_since(Instant(9)), Duration::ZERO);
        assert_eq!(Instant::from_millis(2).as_nanos(), 2_000_000);
        assert_eq!(Instant::from(Duration::from_millis(2)), Instant::from_millis(2));
        assert_eq!(Instant::from(Duration::MAX), Instant(u64::MAX));
    }

    #[test]
    fn a_running_timer_is_not_started_again() {
        let mut timers = Timers::new([Some(Duration::from_millis(1)), None]);
        timers.start(0, Instant(5));
        timers.start(0, Instant(9));
        timers.start(1, Instant(0));
        assert_eq!((timers.next(), timers.due(Instant(1_000_004))), (Some(Instant(1_000_005)), None));
        assert_eq!(timers.due(Instant(1_000_005)), Some(0));
        timers.stop(0);
        timers.start(0, Instant(9));
        assert_eq!(timers.next(), Some(Instant(1_000_009)));
        timers.stop_all();
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn timeouts_keep_their_milliseconds() {
        for (timeout, kept) in [
            (Some(Duration::from_micros(1)), Some(Duration::from_millis(1))),
            (Some(Duration::from_secs(1 << 40)), None),
            (Some(Duration::ZERO), Some(Duration::ZERO)),
            (None, None),
        ] {
            assert_eq!(Option::<Duration>::from(Millis::from(timeout)), kept);
        }
    }
}
