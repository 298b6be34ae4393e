//! RFC 9110: what HTTP means, in any version.
