//! What all types of a kind have in common, so that who knows one knows the others.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;

use hopwire::{deflate, feed, http, http1, io, sse, ws};

/// Errors are values: they can be kept, compared, sent to another thread and passed on by `?`.
#[test]
fn every_error_is_a_value() {
    fn check<E: Error + Display + Copy + Eq + Hash + Send + Sync + 'static>() {}
    check::<io::Full>();
    check::<io::SendError<http1::Misuse>>();
    check::<deflate::InflateError>();
    check::<http::list::BadParameter>();
    check::<http::forward::Stop>();
    check::<http1::Violation>();
    check::<http1::Misuse>();
    check::<ws::Violation>();
    check::<ws::Misuse>();
    check::<ws::UrlError>();
    check::<ws::Refusal>();
    check::<ws::handshake::Violation>();
    check::<ws::handshake::Misuse>();
    check::<sse::Misuse>();
    #[cfg(feature = "alloc")]
    check::<feed::Misuse>();
}

/// A misuse is a reason why nothing was sent.
#[test]
fn every_misuse_becomes_a_send_error() {
    fn check<M: PartialEq + Debug + Copy + Into<io::SendError<M>>>(misuse: M) {
        assert_eq!(misuse.into(), io::SendError::Misuse(misuse));
    }
    check(http1::Misuse::Closed);
    check(ws::Misuse::Closed);
    check(ws::handshake::Misuse::Field);
    check(sse::Misuse::Nul);
}

/// `..Config::new()` can stand behind any settings, in a constant too, and is the default.
#[test]
fn every_config_is_made_alike() {
    fn check<C: Copy + Debug + Default + Eq + Send + Sync>(new: C) {
        assert_eq!(new, C::default());
    }
    const HEAD: http1::HeadLimits = http1::HeadLimits { fields: 100, ..http1::HeadLimits::new() };
    const SERVER: http1::server::Config = http1::server::Config { head: HEAD, ..http1::server::Config::new() };
    const CLIENT: http1::client::Config = http1::client::Config { head: HEAD, ..http1::client::Config::new() };
    const WS: ws::Config = ws::Config { auto_pong: true, ..ws::Config::new() };
    const DEFLATE: ws::handshake::deflate::Config =
        ws::handshake::deflate::Config { client_max_window_bits: 15, ..ws::handshake::deflate::Config::new() };
    const SOURCE: sse::source::Config = sse::source::Config { max_redirects: 20, ..sse::source::Config::new() };
    const PULL: feed::pull::Config = feed::pull::Config { mode: feed::pull::Mode::Long, ..feed::pull::Config::new() };
    check(HEAD);
    check(SERVER);
    check(CLIENT);
    check(WS);
    check(DEFLATE);
    check(SOURCE);
    check(PULL);
    #[cfg(feature = "alloc")]
    {
        const LOG: feed::log::Config = feed::log::Config { max_count: 1000, ..feed::log::Config::new() };
        const HOLD: feed::hold::Config = feed::hold::Config { max_parked: 10_000, ..feed::hold::Config::new() };
        check(LOG);
        check(HOLD);
    }
}

/// A machine can be moved to another thread, shared under a lock, and printed.
#[test]
fn every_machine_can_be_sent() {
    type Random = fn(&mut [u8]);
    fn check<M: Debug + Send + Sync + 'static>() {}
    check::<http1::Server>();
    check::<http1::Client>();
    check::<http1::RequestHead>();
    check::<http1::ResponseHead>();
    check::<http1::chunked::Decoder>();
    check::<ws::Connection<ws::Server>>();
    check::<ws::Connection<ws::Client<Random>>>();
    check::<ws::deflate::Receiver>();
    check::<ws::deflate::Sender>();
    check::<sse::Decoder>();
    check::<sse::Source<Random>>();
    check::<sse::KeepAlive>();
    check::<feed::Pull<Random>>();
    check::<feed::Reader>();
    check::<deflate::Inflater>();
    check::<deflate::Deflater>();
    #[cfg(feature = "alloc")]
    {
        check::<ws::Session<ws::Server>>();
        check::<ws::Session<ws::Client<Random>>>();
        check::<ws::Shared>();
        check::<ws::Messages>();
        check::<feed::Log>();
        check::<feed::Hold<u64>>();
        check::<io::GrowingBuffer>();
    }
}
