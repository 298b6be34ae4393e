//! Dates in fields (RFC 9110 §5.6.7). The time is always the caller's.

use core::fmt;
use core::num::NonZero;
use core::time::Duration;

/// A moment in UTC, in whole seconds, as HTTP writes it: years 0 to 9999, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate {
    /// Seconds since the last one before the year 0, at most `END`: never 0, so that having none costs no space.
    seconds: NonZero<u64>,
}

impl HttpDate {
    /// The moment so many seconds after the start of 1970, if its year has four digits.
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        match seconds.checked_add_unsigned(UNIX) {
            Some(seconds) if seconds >= 0 => Self::new(seconds.cast_unsigned()),
            _ => None,
        }
    }

    /// Seconds since the start of 1970.
    pub const fn unix(self) -> i64 {
        self.since_0000().cast_signed() - UNIX.cast_signed()
    }

    const fn new(since_0000: u64) -> Option<Self> {
        match NonZero::new(since_0000 + 1) {
            Some(seconds) if since_0000 < END => Some(Self { seconds }),
            _ => None,
        }
    }

    const fn since_0000(self) -> u64 {
        self.seconds.get() - 1
    }

    /// As an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`: the one form to send.
    pub fn to_bytes(self) -> [u8; 29] {
        let (days, second) = (self.since_0000() / DAY, self.since_0000() % DAY);
        let (year, month, day) = civil(days);
        let mut out = *b"Thu, 00 Jan 0000 00:00:00 GMT";
        out[..3].copy_from_slice(DAY_NAMES[index(days % 7)].get(..3).unwrap_or_default());
        out[5..7].copy_from_slice(&two_digits(day));
        out[8..11].copy_from_slice(MONTHS[index(month - 1)]);
        out[12..14].copy_from_slice(&two_digits(year / 100));
        out[14..16].copy_from_slice(&two_digits(year % 100));
        out[17..19].copy_from_slice(&two_digits(second / 3600));
        out[20..22].copy_from_slice(&two_digits(second / 60 % 60));
        out[23..25].copy_from_slice(&two_digits(second % 60));
        out
    }

    /// Reads any of the three formats a recipient "MUST accept", strictly: case, width and separators as in the grammar.
    ///
    /// The oldest has two digits for the year, which are then the most recent such year that is not "more than 50 years
    /// in the future" of `now`. The name of the day must be one, but is not compared with the date.
    pub fn parse(value: &[u8], now: Self) -> Option<Self> {
        imf_fixdate(value).or_else(|| asctime_date(value)).or_else(|| rfc850_date(value, now))
    }
}

/// So long after the start of 1970, saturating at the end of the year 9999: `UNIX_EPOCH.elapsed()?.into()` is now.
impl From<Duration> for HttpDate {
    fn from(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().saturating_add(UNIX).min(END - 1);
        Self::new(seconds).expect("it is between 1970 and the last year")
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.to_bytes()).unwrap_or_default())
    }
}

/// ```abnf
/// IMF-fixdate = day-name "," SP day SP month SP year SP time-of-day SP GMT   ; Sun, 06 Nov 1994 08:49:37 GMT
/// ```
fn imf_fixdate(value: &[u8]) -> Option<HttpDate> {
    let (name, rest) = value.split_at_checked(3)?;
    is_day_name(name).then_some(())?;
    let [b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', time @ .., b' ', b'G', b'M', b'T'] = rest
    else {
        return None;
    };
    moment(number(&[*y1, *y2, *y3, *y4])?, month([*m1, *m2, *m3])?, number(&[*d1, *d2])?, time_of_day(time)?)
}

/// ```abnf
/// rfc850-date = day-name-l "," SP day "-" month "-" 2DIGIT SP time-of-day SP GMT   ; Sunday, 06-Nov-94 08:49:37 GMT
/// ```
fn rfc850_date(value: &[u8], now: HttpDate) -> Option<HttpDate> {
    let (name, rest) = value.split_at_checked(value.iter().position(|&b| b == b',')?)?;
    DAY_NAMES.contains(&name).then_some(())?;
    let [b',', b' ', d1, d2, b'-', m1, m2, m3, b'-', y1, y2, b' ', time @ .., b' ', b'G', b'M', b'T'] = rest else {
        return None;
    };
    let (two, month) = (number(&[*y1, *y2])?, month([*m1, *m2, *m3])?);
    let (day, time) = (number(&[*d1, *d2])?, time_of_day(time)?);
    // "MUST interpret a timestamp that appears to be more than 50 years in the future as representing the most
    // recent year in the past that had the same last two digits."
    let (this_year, ..) = civil(now.since_0000() / DAY);
    let limit = now.since_0000() + 50 * YEAR;
    let century = this_year / 100;
    [Some(century + 1), Some(century), century.checked_sub(1)]
        .into_iter()
        .flatten()
        .filter_map(|century| moment(100 * century + two, month, day, time))
        .find(|date| date.since_0000() <= limit)
}

/// ```abnf
/// asctime-date = day-name SP month SP ( 2DIGIT / ( SP 1DIGIT )) SP time-of-day SP year   ; Sun Nov  6 08:49:37 1994
/// ```
fn asctime_date(value: &[u8]) -> Option<HttpDate> {
    let (name, rest) = value.split_at_checked(3)?;
    is_day_name(name).then_some(())?;
    let [b' ', m1, m2, m3, b' ', d1, d2, b' ', time @ .., b' ', y1, y2, y3, y4] = rest else { return None };
    let day = if *d1 == b' ' { number(&[*d2])? } else { number(&[*d1, *d2])? };
    moment(number(&[*y1, *y2, *y3, *y4])?, month([*m1, *m2, *m3])?, day, time_of_day(time)?)
}

fn is_day_name(name: &[u8]) -> bool {
    DAY_NAMES.iter().any(|long| long.get(..3) == Some(name))
}

fn month(name: [u8; 3]) -> Option<u64> {
    (1..).zip(MONTHS).find(|(_, known)| **known == name).map(|(month, _)| month)
}

/// Seconds since midnight; `:60` is a leap second, and counts as the next one.
fn time_of_day(time: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time else { return None };
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// A number of at most four digits.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

fn moment(year: u64, month: u64, day: u64, second: u64) -> Option<HttpDate> {
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None; // 31 Apr, 29 Feb, 00
    }
    HttpDate::new(days * DAY + second)
}

/// Days from 0000-01-01 to a date of the proleptic Gregorian calendar.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    // From 1 March on, so that the leap day is the last of a year; and from 400 years before, so that all is positive.
    let year = year + 400 - if month <= 2 { 1 } else { 0 };
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 - MARCH
}

/// The inverse of [`days`]: year, month, day.
const fn civil(days: u64) -> (u64, u64, u64) {
    // In quarters of days a century has 146,097, and within one a year 1,461.
    let quarters = 4 * (days + MARCH) + 3;
    let (century, quarters) = (quarters / 146_097, (quarters % 146_097) | 3);
    let (year, day_of_year) = (quarters / 1_461, quarters % 1_461 / 4);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let (month, next) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    (100 * century + year + next - 400, month, day)
}

/// A small number, known to be one, as an index.
fn index(n: u64) -> usize {
    usize::try_from(n).unwrap_or_default()
}

fn two_digits(n: u64) -> [u8; 2] {
    let digit = |n: u64| b'0' + n.to_le_bytes()[0];
    [digit(n / 10), digit(n % 10)]
}

/// A day's seconds.
const DAY: u64 = 86_400;
/// The mean Gregorian year's.
const YEAR: u64 = 31_556_952;
/// Days from 1 March 400 years before the year 0 to 0000-01-01.
const MARCH: u64 = 146_097 - 60;
/// Seconds from 0000-01-01 to 1970.
const UNIX: u64 = days(1970, 1, 1) * DAY;
/// Seconds from 0000-01-01 to the end of the year 9999.
const END: u64 = days(10_000, 1, 1) * DAY;

/// From the day of the week of 0000-01-01.
const DAY_NAMES: [&[u8]; 7] = [b"Saturday", b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    const NOW: HttpDate = HttpDate::from_unix(1_790_000_000).unwrap();
    const RFC_EXAMPLE: i64 = 784_111_777;
    const FIRST: i64 = -62_167_219_200;
    const LAST: i64 = 253_402_300_799;

    fn parse(value: &str) -> Option<i64> {
        HttpDate::parse(value.as_bytes(), NOW).map(HttpDate::unix)
    }

    #[test]
    fn three_formats() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(RFC_EXAMPLE));
        assert_eq!(parse("Sunday, 06-Nov-94 08:49:37 GMT"), Some(RFC_EXAMPLE));
        assert_eq!(parse("Sun Nov  6 08:49:37 1994"), Some(RFC_EXAMPLE));
        assert_eq!(parse("Wed Nov 16 08:49:37 1994"), Some(RFC_EXAMPLE + 864_000));
        assert_eq!(HttpDate::from_unix(RFC_EXAMPLE).unwrap().to_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn edges() {
        let text = |unix| HttpDate::from_unix(unix).map(|date| date.to_string());
        assert_eq!(text(0).unwrap(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(text(-1).unwrap(), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(text(951_782_400).unwrap(), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(text(253_402_300_799).unwrap(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(text(253_402_300_800), None);
        assert_eq!(text(-62_167_219_200).unwrap(), "Sat, 01 Jan 0000 00:00:00 GMT");
        assert_eq!(text(-62_167_219_201), None);
        assert_eq!(text(i64::MIN), None);
        assert_eq!(parse("Sat, 31 Dec 2016 23:59:60 GMT"), parse("Sun, 01 Jan 2017 00:00:00 GMT"), "a leap second");
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:60 GMT"), None);
    }

    #[test]
    fn every_day_of_ten_thousand_years() {
        let (mut year, mut month, mut day) = (0, 1, 1);
        for count in 0..END / DAY {
            assert_eq!((civil(count), days(year, month, day)), ((year, month, day), count));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn durations_are_since_1970() {
        assert_eq!(HttpDate::from(Duration::ZERO).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(HttpDate::from(Duration::from_millis(784_111_777_999)).unix(), RFC_EXAMPLE);
        assert_eq!(HttpDate::from(Duration::from_secs(253_402_300_800)).to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(HttpDate::from(Duration::MAX).unix(), LAST);
    }

    #[test]
    fn two_digit_years() {
        // `NOW` is in September 2026.
        assert_eq!(parse("Monday, 01-Jan-76 00:00:00 GMT"), parse("Wed, 01 Jan 2076 00:00:00 GMT"));
        assert_eq!(parse("Monday, 01-Jan-77 00:00:00 GMT"), parse("Sat, 01 Jan 1977 00:00:00 GMT"));
        assert_eq!(parse("Monday, 01-Jan-26 00:00:00 GMT"), parse("Thu, 01 Jan 2026 00:00:00 GMT"));
        let late = HttpDate::from_unix(4_070_908_800).unwrap(); // 2099
        let early = HttpDate::parse(b"Monday, 01-Jan-00 00:00:00 GMT", late).unwrap();
        assert_eq!(early.to_string(), "Fri, 01 Jan 2100 00:00:00 GMT");
    }

    #[test]
    fn refused() {
        for value in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Xxx, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
        ] {
            assert_eq!(parse(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(unix in FIRST..=LAST) {
            let date = HttpDate::from_unix(unix).unwrap();
            prop_assert_eq!(HttpDate::parse(&date.to_bytes(), NOW), Some(date));
        }

        #[test]
        fn anything_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), unix in FIRST..=LAST) {
            let mut near = HttpDate::from_unix(unix).unwrap().to_bytes();
            for (at, b) in (0..29).zip(&bytes) {
                if b & 7 == 0 {
                    near[at] = *b;
                }
            }
            let now = HttpDate::from_unix(unix).unwrap();
            let _ = HttpDate::parse(&near, now);
            let _ = HttpDate::parse(&bytes, now);
        }
    }
}
