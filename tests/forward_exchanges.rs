//! The rules of forwarding as exchanges on the wire: what a client sends, what its service gets, what that answers, what the
//! client gets. A case is a test, named by its rule, with the clause that it is from. Lines end in CRLF, written `\n` here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use hopwire::http::forward::{self, Asked, Content, ForwardedPolicy, Intermediary, Stop, Trailers};
use hopwire::http::{HttpDate, Version};
use hopwire::http1::{self, Server, client, server};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;

/// Each case is a test.
macro_rules! cases {
    ($($name:ident, $clause:literal: $check:expr;)*) => {$(
        #[test]
        fn $name() {
            if let Err(why) = $check {
                panic!("{}: {why}", $clause);
            }
        }
    )*};
}

/// Of an intermediary that relays trailers.
const EDGE: &str = "via: 1.1 edge\n";
/// When the answers come.
const DATE: &str = "date: Thu, 01 Jan 1970 00:00:00 GMT\n";
/// What most answers end with, in the order they are written.
const ADDED: &str = "via: 1.1 edge\ndate: Thu, 01 Jan 1970 00:00:00 GMT\n";
const GET: &str = "GET / HTTP/1.1\nHost: a\n\n";
const GET10: &str = "GET / HTTP/1.0\nHost: a\n\n";
const OFFER: &str = "GET /ws HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\n\n";
const TAKES_TRAILERS: &str = "GET / HTTP/1.1\nHost: a\nConnection: te\nTE: trailers\n\n";

// Requests, fields of the connection.
cases! {
    a_nominated_field_ends_here_whatever_its_case, "RFC 9110 §7.6.1":
        sends("GET /x HTTP/1.1\nHost: a\nConnection: x-HOP\nX-hop: 1\n\n", "GET /x HTTP/1.1\nHost: a\n", "");
    every_connection_line_counts_wherever_it_stands, "RFC 9110 §7.6.1":
        sends("GET / HTTP/1.1\nHost: a\nA: 1\nConnection: a,, b\nB: 2\nC: 3\nConnection: c\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    fixed_hop_by_hop_fields_need_no_nomination, "RFC 9110 §7.6.1":
        sends(
            "GET / HTTP/1.1\nKeep-Alive: timeout=5\nProxy-Connection: keep-alive\nTE: gzip\nUpgrade: x\nHost: a\nHTTP2-Settings: a\n\n",
            "GET / HTTP/1.1\nHost: a\n",
            "",
        );
    nominated_names_end_in_trailers_too, "RFC 9110 §7.6.1":
        sends_content(
            "POST / HTTP/1.1\nHost: a\nConnection: x-t\nTransfer-Encoding: chunked\n\n1\nz\n0\nX-T: 1\nX-U: 2\n\n",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\ntransfer-encoding: chunked\n\n1\nz\n0\nX-U: 2\n\n",
        );
    close_is_said_of_one_connection, "RFC 9110 §7.6.1":
        sends("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    what_connection_names_may_not_be_there, "RFC 9110 §7.6.1":
        sends("GET / HTTP/1.1\nHost: a\nConnection: keep-alive, not-there\nX: 1\n\n", "GET / HTTP/1.1\nHost: a\nX: 1\n", "");
    more_names_than_there_is_room_for, "RFC 9110 §7.6.1, RFC 6585 §5":
        stops(&format!("GET / HTTP/1.1\nHost: a\nConnection: {}\n\n", "abc,".repeat(24)), Stop::Nominations, 431);
    more_names_of_a_service_than_there_is_room_for, "RFC 9110 §7.6.1":
        bad(GET, &format!("HTTP/1.1 200 OK\nConnection: {}\nContent-Length: 0\n\n", "abc,".repeat(24)));
    host_cannot_be_stripped, "RFC 9110 §7.6.1, §7.2":
        sends("GET / HTTP/1.1\nHost: a\nConnection: Host\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    authorization_and_cookies_cannot_be_stripped, "RFC 9110 §7.6.1, §11.6.2":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: authorization, cookie\nAuthorization: b\nCookie: c=d\n\n",
            "GET / HTTP/1.1\nHost: a\nAuthorization: b\nCookie: c=d\n",
            "",
        );
    content_length_cannot_be_stripped, "RFC 9110 §7.6.1, RFC 9112 §6.3":
        sends_content(
            "POST / HTTP/1.1\nHost: a\nConnection: Content-Length\nContent-Length: 5\n\nhello",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\ncontent-length: 5\n\nhello",
        );
    transfer_encoding_nominated_is_framed_anew, "RFC 9110 §7.6.1, RFC 9112 §6.1":
        sends_content(
            "POST / HTTP/1.1\nHost: a\nConnection: Transfer-Encoding\nTransfer-Encoding: chunked\n\n2;x=y\nhi\n0\n\n",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\ntransfer-encoding: chunked\n\n2\nhi\n0\n\n",
        );
    cache_control_is_never_a_connection_option, "RFC 9110 §7.6.1":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: cache-control\nCache-Control: no-store\n\n",
            "GET / HTTP/1.1\nHost: a\nCache-Control: no-store\n",
            "",
        );
    credentials_for_this_proxy_end_here, "RFC 9110 §11.7.2":
        sends("GET / HTTP/1.1\nHost: a\nProxy-Authorization: Basic YTpi\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    unknown_fields_go_on, "RFC 9110 §5.1":
        sends("GET / HTTP/1.1\nHost: a\nX-Unknown:  1 \n\n", "GET / HTTP/1.1\nHost: a\nX-Unknown: 1\n", "");
    unknown_methods_go_on, "RFC 9110 §7.6":
        sends("BREW /pot HTTP/1.1\nHost: a\n\n", "BREW /pot HTTP/1.1\nHost: a\n", "");
    lines_of_one_name_keep_their_order, "RFC 9110 §5.3":
        sends("GET / HTTP/1.1\nHost: a\nX: 1\nY: 2\nX: 3\n\n", "GET / HTTP/1.1\nHost: a\nX: 1\nY: 2\nX: 3\n", "");
    te_is_ours_to_say_with_its_option, "RFC 9110 §10.1.4":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: te\nTE: trailers, gzip;q=0.5\n\n",
            "GET / HTTP/1.1\nHost: a\n",
            "te: trailers\nconnection: te\n",
        );
    trailers_have_no_weight, "RFC 9110 §10.1.4":
        sends("GET / HTTP/1.1\nHost: a\nConnection: te\nTE: trailers;q=0.5\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    te_of_codings_alone_ends_here, "RFC 9110 §10.1.4":
        sends("GET / HTTP/1.1\nHost: a\nConnection: te\nTE: deflate\n\n", "GET / HTTP/1.1\nHost: a\n", "");
}

// Requests, their way.
cases! {
    via_is_added, "RFC 9110 §7.6.3":
        sends(GET, "GET / HTTP/1.1\nHost: a\n", "");
    via_tells_the_version_received, "RFC 9110 §7.6.3":
        sends_content(GET10, "GET / HTTP/1.1\nHost: a\nvia: 1.0 edge\n\n");
    via_is_added_behind_what_came, "RFC 9110 §7.6.3":
        sends_content(
            "GET / HTTP/1.1\nHost: a\nVia: 1.0 fred\nX: 1\nVia: 1.1 p.example.net (x, y)\n\n",
            "GET / HTTP/1.1\nHost: a\nX: 1\nvia: 1.0 fred, 1.1 p.example.net (x, y), 1.1 edge\n\n",
        );
    a_loop_is_found, "RFC 9110 §7.6, §7.6.3":
        stops("GET / HTTP/1.1\nHost: a\nVia: 1.1 a, 1.1 EDGE (c)\n\n", Stop::Loop, 508);
    a_loop_is_found_behind_a_comment_that_does_not_end, "RFC 9110 §7.6.3":
        goes_round_once("GET / HTTP/1.1\nHost: a\nVia: 1.1 a (\n\n");
    a_loop_is_found_though_via_is_nominated, "RFC 9110 §7.6.1, §7.6.3":
        goes_round_once("GET / HTTP/1.1\nHost: a\nConnection: via\n\n");
    max_forwards_counts_down, "RFC 9110 §7.6.2":
        sends_content(
            "OPTIONS * HTTP/1.1\nHost: a\nMax-Forwards: 5\n\n",
            "OPTIONS * HTTP/1.1\nHost: a\nvia: 1.1 edge\nmax-forwards: 4\n\n",
        );
    max_forwards_counts_down_for_trace, "RFC 9110 §7.6.2, §9.3.8":
        sends_content(
            "TRACE / HTTP/1.1\nHost: a\nMax-Forwards: 1\n\n",
            "TRACE / HTTP/1.1\nHost: a\nvia: 1.1 edge\nmax-forwards: 0\n\n",
        );
    max_forwards_beyond_all_numbers_is_the_greatest_of_ours, "RFC 9110 §7.6.2":
        sends_content(
            "OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 99999999999999999999999\n\n",
            "OPTIONS / HTTP/1.1\nHost: a\nvia: 1.1 edge\nmax-forwards: 18446744073709551614\n\n",
        );
    max_forwards_0_is_answered_here, "RFC 9110 §7.6.2":
        stops("OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 0\n\n", Stop::LastHop, 200);
    max_forwards_0_of_trace_is_answered_here, "RFC 9110 §7.6.2, §9.3.8":
        stops("TRACE / HTTP/1.1\nHost: a\nMax-Forwards: 000\n\n", Stop::LastHop, 200);
    max_forwards_nominated_still_counts, "RFC 9110 §7.6.1, §7.6.2":
        stops("TRACE / HTTP/1.1\nHost: a\nConnection: max-forwards\nMax-Forwards: 0\n\n", Stop::LastHop, 200);
    max_forwards_that_is_no_number, "RFC 9110 §7.6.2":
        stops("OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: +1\n\n", Stop::MaxForwards, 400);
    max_forwards_of_other_methods_is_like_any_field, "RFC 9110 §7.6.2":
        sends("GET / HTTP/1.1\nHost: a\nMax-Forwards: 0\n\n", "GET / HTTP/1.1\nHost: a\nMax-Forwards: 0\n", "");
    max_forwards_is_never_added, "RFC 9110 §9.3.7":
        sends("OPTIONS / HTTP/1.1\nHost: a\n\n", "OPTIONS / HTTP/1.1\nHost: a\n", "");
    trace_has_no_content, "RFC 9110 §9.3.8":
        stops("TRACE / HTTP/1.1\nHost: a\nContent-Length: 1\n\nx", Stop::TraceContent, 400);
    a_tunnel_is_not_forwarded, "RFC 9110 §9.3.6":
        stops("CONNECT a:443 HTTP/1.1\nHost: a:443\n\n", Stop::Connect, 501);
    the_host_is_that_of_an_absolute_target, "RFC 9112 §3.2.2":
        sends(
            "GET http://real.example:81/x?y HTTP/1.1\nX: 1\nHost: other\n\n",
            "GET /x?y HTTP/1.1\nhost: real.example:81\nX: 1\n",
            "",
        );
    an_empty_path_becomes_a_slash, "RFC 9110 §7.7, RFC 9112 §3.2.1":
        sends("GET http://a HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    an_empty_path_before_a_query_too, "RFC 9110 §7.7":
        sends("GET http://a?b HTTP/1.1\nHost: a\n\n", "GET /?b HTTP/1.1\nHost: a\n", "");
    server_wide_options_become_an_asterisk, "RFC 9112 §3.2.4":
        sends("OPTIONS http://a:8001 HTTP/1.1\nHost: a:8001\n\n", "OPTIONS * HTTP/1.1\nHost: a:8001\n", "");
    options_of_a_path_keep_it, "RFC 9112 §3.2.4":
        sends("OPTIONS http://a/ HTTP/1.1\nHost: a\n\n", "OPTIONS / HTTP/1.1\nHost: a\n", "");
    path_and_query_are_not_touched, "RFC 9110 §7.7":
        sends("GET /a/../%2e%2E//b?x=%41&y=/ HTTP/1.1\nHost: a\n\n", "GET /a/../%2e%2E//b?x=%41&y=/ HTTP/1.1\nHost: a\n", "");
    the_version_is_ours, "RFC 9112 §2.3":
        sends("GET / HTTP/1.7\nHost: a\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    a_scheme_of_another_connection_goes_no_further, "RFC 9110 §7.4":
        stops("GET https://a/ HTTP/1.1\nHost: a\n\n", Stop::Scheme, 400);
    a_request_for_no_host_goes_no_further, "RFC 9112 §3.3":
        stops("GET / HTTP/1.0\n\n", Stop::NoAuthority, 400);
    a_default_that_is_no_host_is_none, "RFC 9112 §3.3, §11.1":
        stopped_by(
            &Intermediary { authority: Some("a\r\nX: y"), ..edge() },
            "GET / HTTP/1.0\n\n",
            Stop::NoAuthority,
            400,
        );
    a_request_for_no_host_may_have_a_default, "RFC 9112 §3.3":
        through(
            &Intermediary { authority: Some("site.example"), ..edge() },
            "GET / HTTP/1.0\n\n",
            "GET / HTTP/1.1\nhost: site.example\nvia: 1.0 edge\n\n",
        );
}

// Requests, content and expectations.
cases! {
    length_and_coding_together_are_refused, "RFC 9112 §6.3, §11.2":
        refused("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\n\n1\nz\n0\n\n", 400);
    a_fold_is_refused, "RFC 9112 §5.2":
        refused("GET / HTTP/1.1\nHost: a\nX: 1\n 2\n\n", 400);
    white_space_before_a_colon_is_refused, "RFC 9112 §5.1":
        refused("GET / HTTP/1.1\nHost: a\nX : 1\n\n", 400);
    two_hosts_are_refused, "RFC 9112 §3.2":
        refused("GET / HTTP/1.1\nHost: a\nHost: b\n\n", 400);
    a_coding_in_http10_is_refused, "RFC 9112 §6.1":
        refused("POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", 400);
    a_coding_not_undone_here_is_refused, "RFC 9112 §6.1":
        refused("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n0\n\n", 501);
    an_expectation_goes_on, "RFC 9110 §10.1.1":
        sends_content(
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\n",
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nvia: 1.1 edge\ncontent-length: 1\n\n",
        );
    an_expectation_of_http10_means_nothing, "RFC 9110 §10.1.1":
        sends_content(
            "PUT / HTTP/1.0\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\nx",
            "PUT / HTTP/1.1\nHost: a\nvia: 1.0 edge\ncontent-length: 1\n\nx",
        );
    an_expectation_without_content_means_nothing, "RFC 9110 §10.1.1":
        sends("GET / HTTP/1.1\nHost: a\nExpect: 100-continue\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    content_without_length_is_not_for_http10, "RFC 9112 §6.1":
        stopped_by(
            &Intermediary { upstream: Version::Http10, ..edge() },
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\nz\n0\n\n",
            Stop::LengthRequired,
            411,
        );
    trailers_that_this_intermediary_sets_end_here, "RFC 9110 §6.5.1":
        through(
            &Intermediary { set: &[("x-real-ip", b"192.0.2.7")], ..edge() },
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX-Real-IP: 127.0.0.1\nX-Sum: 1\n\n",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\nx-real-ip: 192.0.2.7\ntransfer-encoding: chunked\n\n0\nX-Sum: 1\n\n",
        );
    trailers_that_route_or_frame_end_here, "RFC 9110 §6.5.1":
        sends_content(
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nHost: b\nX-Forwarded-For: c\nVia: 1.1 d\nX: 1\n\n",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\ntransfer-encoding: chunked\n\n0\nX: 1\n\n",
        );
}

// Requests, changes of protocol.
cases! {
    an_upgrade_is_offered_again, "RFC 9110 §7.8":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: Upgrade, keep-alive\nUpgrade: foo/1, WebSocket\n\n",
            "GET / HTTP/1.1\nHost: a\n",
            "upgrade: websocket\nconnection: upgrade\n",
        );
    an_upgrade_without_its_option_ends_here, "RFC 9110 §7.8, §7.6.1":
        sends("GET / HTTP/1.1\nHost: a\nUpgrade: websocket\n\n", "GET / HTTP/1.1\nHost: a\n", "");
    an_upgrade_in_http10_means_nothing, "RFC 9110 §7.8":
        sends_content(
            "GET / HTTP/1.0\nHost: a\nConnection: upgrade\nUpgrade: websocket\n\n",
            "GET / HTTP/1.1\nHost: a\nvia: 1.0 edge\n\n",
        );
    h2c_is_never_offered, "RFC 9113 §3.1":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQ\n\n",
            "GET / HTTP/1.1\nHost: a\n",
            "",
        );
    h2c_is_left_out_of_what_is_offered, "RFC 9113 §3.1":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: close, HTTP2-Settings, Upgrade\nUpgrade: h2c, websocket\nHTTP2-Settings: a\n\n",
            "GET / HTTP/1.1\nHost: a\n",
            "upgrade: websocket\nconnection: upgrade\n",
        );
    an_upgrade_with_content_is_not_offered, "RFC 9110 §7.8":
        sends_content(
            "POST / HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\nContent-Length: 1\n\nx",
            "POST / HTTP/1.1\nHost: a\nvia: 1.1 edge\ncontent-length: 1\n\nx",
        );
    nothing_behind_an_offer_goes_before_the_101, "RFC 9110 §7.8":
        sends(
            "GET /ws HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\n\nGET /admin HTTP/1.1\nHost: a\n\n",
            "GET /ws HTTP/1.1\nHost: a\n",
            "upgrade: websocket\nconnection: upgrade\n",
        );
    a_101_is_ours, "RFC 9110 §7.8":
        answers(
            OFFER,
            "HTTP/1.1 101 Switching\nConnection: Upgrade, x\nUpgrade: WebSocket\nX: 1\nY: 2\n\n",
            "HTTP/1.1 101 Switching Protocols\nY: 2\nvia: 1.1 edge\nupgrade: websocket\nconnection: upgrade\n\n",
        );
    a_101_nobody_asked_for, "RFC 9110 §7.8":
        bad(GET, "HTTP/1.1 101 Switching\nConnection: upgrade\nUpgrade: websocket\n\n");
    a_101_to_something_else, "RFC 9110 §7.8":
        bad(OFFER, "HTTP/1.1 101 Switching\nConnection: upgrade\nUpgrade: h2c\n\n");
    a_101_without_its_option, "RFC 9110 §7.8":
        bad(OFFER, "HTTP/1.1 101 Switching\nUpgrade: websocket\n\n");
    a_refused_upgrade_is_an_answer_like_any_other, "RFC 9110 §7.8":
        answers(OFFER, "HTTP/1.1 400 No\nContent-Length: 0\n\n", &format!("HTTP/1.1 400 Bad Request\n{ADDED}content-length: 0\n\n"));
    a_426_says_what_can_be_had_through_here, "RFC 9110 §15.5.22":
        answers(
            GET,
            "HTTP/1.1 426 No\nConnection: upgrade\nUpgrade: h2c, websocket\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 426 Upgrade Required\n{ADDED}upgrade: websocket\nconnection: upgrade\ncontent-length: 0\n\n"),
        );
    an_upgrade_that_is_only_praised_ends_here, "RFC 9110 §7.8, §7.6.1":
        answers(
            GET,
            "HTTP/1.1 200 OK\nConnection: upgrade\nUpgrade: h2c\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}content-length: 0\n\n"),
        );
}

// Responses.
cases! {
    hop_by_hop_fields_of_responses_end_here, "RFC 9110 §7.6.1":
        answers(
            GET,
            "HTTP/1.1 200 OK\nConnection: X-Hop\nX-Hop: 1\nKeep-Alive: max=5\nX: 2\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\nX: 2\n{ADDED}content-length: 0\n\n"),
        );
    close_of_the_service_is_not_ours, "RFC 9110 §7.6.1":
        answers(
            GET,
            "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 2\n\nok",
            &format!("HTTP/1.1 200 OK\n{ADDED}content-length: 2\n\nok"),
        );
    cookies_are_never_combined_nor_stripped, "RFC 9110 §5.3":
        answers(
            GET,
            "HTTP/1.1 200 OK\nSet-Cookie: a=1\nConnection: set-cookie\nSet-Cookie: b=2\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\nSet-Cookie: a=1\nSet-Cookie: b=2\n{ADDED}content-length: 0\n\n"),
        );
    via_of_responses, "RFC 9110 §7.6.3":
        answers(
            GET,
            "HTTP/1.0 200 OK\nVia: 1.1 x\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\nvia: 1.1 x, 1.0 edge\n{DATE}content-length: 0\n\n"),
        );
    a_date_that_came_stays, "RFC 9110 §6.6.1":
        answers(
            GET,
            "HTTP/1.1 200 OK\nDate: then\nContent-Length: 0\n\n",
            "HTTP/1.1 200 OK\nDate: then\nvia: 1.1 edge\ncontent-length: 0\n\n",
        );
    interim_responses_go_on, "RFC 9110 §15.2":
        answers(
            GET,
            "HTTP/1.1 103 Hints\nLink: </a>\n\nHTTP/1.1 102 P\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n",
            &format!(
                "HTTP/1.1 103 Early Hints\nLink: </a>\n{EDGE}\nHTTP/1.1 102 Processing\n{EDGE}\nHTTP/1.1 200 OK\n{ADDED}content-length: 0\n\n"
            ),
        );
    interim_responses_are_not_for_http10, "RFC 9110 §15.2":
        answers(
            GET10,
            "HTTP/1.1 100 C\n\nHTTP/1.1 103 Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}connection: close\ncontent-length: 0\n\n"),
        );
    a_100_that_was_asked_for_goes_on, "RFC 9110 §10.1.1, §15.2":
        exchange_is(
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\nx",
            "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nvia: 1.1 edge\ncontent-length: 1\n\nx",
            &format!("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n{ADDED}content-length: 0\n\n"),
        );
    a_final_answer_instead_of_100_closes, "RFC 9110 §10.1.1":
        exchange_is(
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\n",
            "HTTP/1.1 413 No\nContent-Length: 0\n\n",
            "PUT / HTTP/1.1\nHost: a\nExpect: 100-continue\nvia: 1.1 edge\ncontent-length: 1\n\n",
            &format!("HTTP/1.1 413 Content Too Large\n{ADDED}connection: close\ncontent-length: 0\n\n"),
        );
    http10_is_never_kept, "RFC 9112 §9.3":
        answers(
            "GET / HTTP/1.0\nHost: a\nConnection: keep-alive\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
            &format!("HTTP/1.1 200 OK\n{ADDED}connection: close\ncontent-length: 2\n\nok"),
        );
    chunks_are_not_for_http10, "RFC 9112 §6.1, §7.1":
        answers(
            GET10,
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nz\n0\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}connection: close\n\nz"),
        );
    what_ends_with_the_connection_is_chunked, "RFC 9112 §6.3, §7.1":
        answers(
            GET,
            "HTTP/1.0 200 OK\n\nzz",
            &format!("HTTP/1.1 200 OK\nvia: 1.0 edge\n{DATE}transfer-encoding: chunked\n\n2\nzz\n0\n\n"),
        );
    trailers_go_to_who_takes_them, "RFC 9110 §6.5.1":
        answers(
            TAKES_TRAILERS,
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: y\nTrailer: X\n\n1\nz\n0\nX: 1\nY: 2\nConnection: x\n\n",
            &format!("HTTP/1.1 200 OK\nTrailer: X\n{ADDED}transfer-encoding: chunked\n\n1\nz\n0\nX: 1\n\n"),
        );
    trailers_go_to_nobody_else, "RFC 9110 §6.5.1":
        answers(
            GET,
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X\n\n1\nz\n0\nX: 1\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}transfer-encoding: chunked\n\n1\nz\n0\n\n"),
        );
    a_fold_becomes_a_space, "RFC 9112 §5.2":
        answers(
            GET,
            "HTTP/1.1 200 OK\nX: a \n \t b\nContent-Length: 0\n\n",
            &format!("HTTP/1.1 200 OK\nX: a b\n{ADDED}content-length: 0\n\n"),
        );
    one_length_said_twice_is_said_once, "RFC 9112 §6.3":
        answers(
            GET,
            "HTTP/1.1 200 OK\nContent-Length: 2, 2\nContent-Length: 2\n\nok",
            &format!("HTTP/1.1 200 OK\n{ADDED}content-length: 2\n\nok"),
        );
    the_length_of_a_head_answer_stays, "RFC 9110 §8.6":
        answers(
            "HEAD / HTTP/1.1\nHost: a\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 7\nTransfer-Encoding: gzip\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}content-length: 7\n\n"),
        );
    the_length_of_a_head_answer_is_one, "RFC 9110 §8.6":
        answers(
            "HEAD / HTTP/1.1\nHost: a\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 7\nContent-Length: 8\n\n",
            &format!("HTTP/1.1 200 OK\n{ADDED}\n"),
        );
    a_204_to_head_has_no_length, "RFC 9110 §8.6":
        answers(
            "HEAD / HTTP/1.1\nHost: a\n\n",
            "HTTP/1.1 103 H\nContent-Length: 3\n\nHTTP/1.1 204 None\nContent-Length: 7\n\n",
            &format!("HTTP/1.1 103 Early Hints\n{EDGE}\nHTTP/1.1 204 No Content\n{ADDED}\n"),
        );
    a_204_has_no_length, "RFC 9110 §8.6":
        answers(GET, "HTTP/1.1 204 None\nContent-Length: 7\n\n", &format!("HTTP/1.1 204 No Content\n{ADDED}\n"));
    a_205_has_no_content, "RFC 9110 §15.3.6":
        answers(GET, "HTTP/1.1 205 R\nTransfer-Encoding: chunked\n\n0\n\n", &format!("HTTP/1.1 205 Reset Content\n{ADDED}content-length: 0\n\n"));
    a_205_has_no_trailers, "RFC 9110 §15.3.6":
        answers(
            TAKES_TRAILERS,
            "HTTP/1.1 205 R\nTransfer-Encoding: chunked\nTrailer: X\n\n0\nX: 1\n\n",
            &format!("HTTP/1.1 205 Reset Content\n{ADDED}content-length: 0\n\n"),
        );
    a_205_with_content_is_none, "RFC 9110 §15.3.6":
        bad(GET, "HTTP/1.1 205 R\nContent-Length: 1\n\nx");
    an_unknown_status_goes_on, "RFC 9110 §15, §7.6":
        answers(GET, "HTTP/1.1 299 Odd\nContent-Length: 0\n\n", &format!("HTTP/1.1 299 \n{ADDED}content-length: 0\n\n"));
    a_code_that_is_none_leaves_as_one_of_its_class, "RFC 9110 §15":
        answers(GET, "HTTP/1.1 799 Odd\nContent-Length: 2\n\nok", &format!("HTTP/1.1 500 Internal Server Error\n{ADDED}content-length: 2\n\nok"));
    two_lengths_are_a_bad_gateway, "RFC 9112 §6.3":
        bad(GET, "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\nzz");
    length_and_coding_are_a_bad_gateway, "RFC 9112 §6.3, §11.1":
        bad(GET, "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n");
    a_coding_nobody_asked_for_is_a_bad_gateway, "RFC 9112 §7":
        bad(GET, "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n0\n\n");
    a_coding_in_http10_is_a_bad_gateway, "RFC 9112 §6.1":
        bad(GET, "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n0\n\n");
    white_space_before_a_colon_is_a_bad_gateway, "RFC 9112 §5.1":
        bad(GET, "HTTP/1.1 200 OK\nX : 1\nContent-Length: 0\n\n");
    another_protocol_is_a_bad_gateway, "RFC 9112 §2.3":
        bad(GET, "SSH-2.0-x\n\n");
    a_head_that_breaks_off_is_a_bad_gateway, "RFC 9110 §15.6.3":
        bad(GET, "HTTP/1.1 200 OK\nContent-Le");
    too_many_interim_responses_are_a_bad_gateway, "RFC 9110 §15.2":
        too_many_interims();
    content_that_breaks_off_never_looks_complete, "RFC 9112 §8":
        breaks_off(GET, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n", &format!("HTTP/1.1 200 OK\n{ADDED}transfer-encoding: chunked\n\n5\nhello\n"));
    content_that_is_too_short_never_looks_complete, "RFC 9112 §8":
        breaks_off(GET, "HTTP/1.1 200 OK\nContent-Length: 5\n\nhell", &format!("HTTP/1.1 200 OK\n{ADDED}content-length: 5\n\nhell"));
}

// Where a request came from.
cases! {
    forwarded_is_removed, "RFC 7239 §8.1":
        through(
            &Intermediary { forwarded: ForwardedPolicy::Remove, x_forwarded: ForwardedPolicy::Remove, ..edge() },
            "GET / HTTP/1.1\nHost: a\nForwarded: for=b\nX-Forwarded-For: b\nX-Forwarded-Host: c\nX-Forwarded-Proto: d\n\n",
            "GET / HTTP/1.1\nHost: a\nvia: 1.1 edge\n\n",
        );
    forwarded_is_replaced, "RFC 7239 §4, §8.1":
        through(
            &Intermediary { forwarded: ForwardedPolicy::Replace, x_forwarded: ForwardedPolicy::Replace, ..edge() },
            "GET / HTTP/1.1\nHost: a:81\nForwarded: for=evil\nX-Forwarded-For: evil\n\n",
            "GET / HTTP/1.1\nHost: a:81\nvia: 1.1 edge\nforwarded: for=\"[2001:db8::1]\";proto=http;host=\"a:81\"\n\
             x-forwarded-for: 2001:db8::1\nx-forwarded-proto: http\nx-forwarded-host: a:81\n\n",
        );
    forwarded_is_appended_in_one_line, "RFC 7239 §4":
        through(
            &Intermediary { forwarded: ForwardedPolicy::Append, ..edge() },
            "GET / HTTP/1.1\nHost: a\nForwarded: for=b\nX: 1\nForwarded: for=\"c\\\"\", for=d\n\n",
            "GET / HTTP/1.1\nHost: a\nX: 1\nvia: 1.1 edge\n\
             forwarded: for=b, for=\"c\\\"\", for=d, for=\"[2001:db8::1]\";proto=http;host=a\n\n",
        );
    forwarded_that_would_hide_ours_is_dropped, "RFC 7239 §4, §8.1":
        through(
            &Intermediary { forwarded: ForwardedPolicy::Append, ..edge() },
            "GET / HTTP/1.1\nHost: a\nForwarded: for=b;host=\"\\\"\n\n",
            "GET / HTTP/1.1\nHost: a\nvia: 1.1 edge\nforwarded: for=\"[2001:db8::1]\";proto=http;host=a\n\n",
        );
    forwarded_cannot_be_stripped, "RFC 9110 §7.6.1, RFC 7239 §8.1":
        sends(
            "GET / HTTP/1.1\nHost: a\nConnection: forwarded, x-forwarded-for\nForwarded: for=b\nX-Forwarded-For: b\n\n",
            "GET / HTTP/1.1\nHost: a\nForwarded: for=b\nX-Forwarded-For: b\n",
            "",
        );
    a_client_that_is_not_told_is_unknown, "RFC 7239 §6.2":
        as_from(None, true, ForwardedPolicy::Replace, "forwarded: for=unknown;proto=https;host=a\n");
    an_address_of_4_bytes_needs_no_quotes, "RFC 7239 §6":
        as_from(Some("192.0.2.7"), false, ForwardedPolicy::Replace, "forwarded: for=192.0.2.7;proto=http;host=a\n");
    a_client_may_be_told_by_another_name, "RFC 7239 §6.3":
        as_from(Some("_a.B-9_"), false, ForwardedPolicy::Replace, "forwarded: for=_a.B-9_;proto=http;host=a\n");
}

fn edge() -> Intermediary<'static> {
    Intermediary { trailers: true, ..Intermediary::new("edge").unwrap() }
}

/// What became of an exchange.
#[derive(Debug, Default)]
struct Outcome {
    to_service: String,
    to_client: String,
    stop: Option<Stop>,
    /// The answer is complete.
    is_whole: bool,
}

/// An exchange in which these bytes come from the client, and these from the service, which then stops writing.
fn exchange(proxy: &Intermediary<'_>, who: &forward::Node, from_client: &str, from_service: &str) -> Outcome {
    let (mut received, mut answered) = (crlf(from_client), crlf(from_service));
    let (mut to_service, mut to_client) = (vec![0; 4096], vec![0; 4096]);
    let (mut up, mut down) = (Tx::new(&mut to_service), Tx::new(&mut to_client));
    let (mut server, mut client) = (Server::default(), http1::Client::default());
    let (mut rx, mut answer) = (Rx::new(&mut received), Rx::last(&mut answered));
    let mut relay =
        Relay { proxy, server: &mut server, client: &mut client, asked: None, trailers: None, is_whole: false };
    let outcome = relay.request(who, &mut rx, &mut up, &mut down);
    let outcome = outcome.and_then(|()| match relay.asked {
        Some(asked) if !from_service.is_empty() => relay.answer(&asked, &mut rx, &mut answer, &mut up, &mut down),
        _ => Ok(()),
    });
    if let Err(stop) = outcome {
        let _ = relay.server.respond_with(stop.status(), &[], b"", &mut down);
    }
    let is_whole = relay.is_whole;
    Outcome { to_service: lf(up.written()), to_client: lf(down.written()), stop: outcome.err(), is_whole }
}

/// The engines of both sides.
struct Relay<'r, 'p> {
    proxy: &'r Intermediary<'p>,
    server: &'r mut Server,
    client: &'r mut http1::Client,
    asked: Option<Asked>,
    trailers: Option<Trailers>,
    is_whole: bool,
}

impl Relay<'_, '_> {
    fn request(
        &mut self,
        who: &forward::Node,
        rx: &mut Rx<'_>,
        up: &mut Tx<'_>,
        down: &mut Tx<'_>,
    ) -> Result<(), Stop> {
        let Ok(Some(server::Event::Request(head))) = self.server.poll(Instant::ZERO, rx, down) else { return Ok(()) };
        let request = self.proxy.request(&(&head).into(), who)?;
        self.client.forward(&request, up).unwrap();
        self.asked = Some(request.asked());
        self.trailers = (request.content() != Content::None).then(|| request.trailers());
        if !request.asked().expects_continue() {
            self.content(rx, up, down);
        }
        Ok(())
    }

    /// What there is of a request's content.
    fn content(&mut self, rx: &mut Rx<'_>, up: &mut Tx<'_>, down: &mut Tx<'_>) {
        let Some(trailers) = self.trailers else { return };
        let mut is_ended = false;
        while let Ok(Some(event)) = self.server.poll(Instant::ZERO, rx, down) {
            match event {
                server::Event::Body(data) => assert_eq!(self.client.body(data, up), Ok(data.len())),
                server::Event::Trailers(fields) => {
                    let fields: Vec<_> = trailers.of(fields).map(|field| (field.name.as_str(), field.value)).collect();
                    self.client.end(&fields, up).unwrap();
                    is_ended = true;
                }
                server::Event::End if is_ended => break,
                server::Event::End => return self.client.end(&[], up).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn answer(
        &mut self,
        asked: &Asked,
        rx: &mut Rx<'_>,
        answer: &mut Rx<'_>,
        up: &mut Tx<'_>,
        down: &mut Tx<'_>,
    ) -> Result<(), Stop> {
        let mut trailers = None;
        let mut is_ended = false;
        while let Some(event) = self.client.poll(Instant::ZERO, answer)? {
            match event {
                client::Event::Continue => self.content(rx, up, down),
                client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head) => {
                    let head = self.proxy.response(&(&head).into(), asked, HttpDate::from_unix(0))?;
                    let Some(head) = head else { continue };
                    // What the clock of this connection shows is nothing to a final answer that is forwarded.
                    if !head.status().is_informational() {
                        self.server.set_date(Duration::from_secs(86_400).into());
                    }
                    self.server.forward(&head, down).unwrap();
                    trailers = (head.content() != Content::None).then(|| head.trailers());
                    self.is_whole = !head.status().is_informational() && trailers.is_none();
                }
                client::Event::Body(data) => assert_eq!(self.server.body(data, down), Ok(data.len())),
                client::Event::Trailers(fields) => {
                    let fields: Vec<_> = trailers
                        .iter()
                        .flat_map(|trailers| trailers.of(fields))
                        .map(|field| (field.name.as_str(), field.value))
                        .collect();
                    self.server.end(&fields, down).unwrap();
                    is_ended = true;
                }
                client::Event::End => {
                    if trailers.is_some() && !is_ended {
                        self.server.end(&[], down).unwrap();
                    }
                    self.is_whole = true;
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn lf(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

fn same(what: &str, got: &str, want: &str) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}\n{got}--- instead of ---\n{want}")) }
}

fn from(address: Option<&str>, secure: bool) -> forward::Node {
    let named = address.and_then(|name| forward::Node::obfuscated(name, secure));
    named.unwrap_or_else(|| forward::Node::new(address.map(|address| address.parse().unwrap()), secure))
}

fn through(proxy: &Intermediary<'_>, request: &str, to_service: &str) -> Result<(), String> {
    same("to the service:", &exchange(proxy, &from(Some("2001:db8::1"), false), request, "").to_service, to_service)
}

/// A request leaves as these bytes.
fn sends_content(request: &str, to_service: &str) -> Result<(), String> {
    through(&edge(), request, to_service)
}

/// A request of HTTP/1.1 leaves as this head, our Via, and this.
fn sends(request: &str, head: &str, end: &str) -> Result<(), String> {
    sends_content(request, &format!("{head}{EDGE}{end}\n"))
}

fn stopped_by(proxy: &Intermediary<'_>, request: &str, stop: Stop, status: u16) -> Result<(), String> {
    let outcome = exchange(proxy, &from(None, false), request, "");
    let is_clear = outcome.stop == Some(stop) && stop.clause().contains('§');
    if is_clear && outcome.to_service.is_empty() && outcome.to_client.starts_with(&format!("HTTP/1.1 {status} ")) {
        return Ok(());
    }
    Err(format!("{outcome:?}"))
}

/// A request goes no further, and its client is told so.
fn stops(request: &str, stop: Stop, status: u16) -> Result<(), String> {
    stopped_by(&edge(), request, stop, status)
}

/// A request is refused before forwarding sees it.
fn refused(request: &str, status: u16) -> Result<(), String> {
    let outcome = exchange(&edge(), &from(None, false), request, "");
    if outcome.to_service.is_empty() && outcome.to_client.starts_with(&format!("HTTP/1.1 {status} ")) {
        return Ok(());
    }
    Err(format!("{outcome:?}"))
}

/// What leaves is known when it comes back.
fn goes_round_once(request: &str) -> Result<(), String> {
    let first = exchange(&edge(), &from(None, false), request, "");
    if first.to_service.is_empty() { Err(format!("{first:?}")) } else { stops(&first.to_service, Stop::Loop, 508) }
}

/// The answer leaves as these bytes, whole.
fn answers(request: &str, response: &str, to_client: &str) -> Result<(), String> {
    let outcome = exchange(&edge(), &from(None, false), request, response);
    let is_101 = response.starts_with("HTTP/1.1 101");
    if !outcome.is_whole && !is_101 {
        return Err(format!("{outcome:?}"));
    }
    same("to the client:", &outcome.to_client, to_client)
}

fn exchange_is(request: &str, response: &str, to_service: &str, to_client: &str) -> Result<(), String> {
    let outcome = exchange(&edge(), &from(None, false), request, response);
    same("to the service:", &outcome.to_service, to_service)?;
    same("to the client:", &outcome.to_client, to_client)
}

/// The answer is replaced by 502, and nothing of it goes on.
fn bad(request: &str, response: &str) -> Result<(), String> {
    let outcome = exchange(&edge(), &from(None, false), request, response);
    match outcome.stop {
        Some(stop) => same(&stop.to_string(), &outcome.to_client, "HTTP/1.1 502 Bad Gateway\ncontent-length: 0\n\n"),
        None => Err(format!("{outcome:?}")),
    }
}

/// The answer is cut off where it came to, and nothing says that this is its end.
fn breaks_off(request: &str, response: &str, to_client: &str) -> Result<(), String> {
    let outcome = exchange(&edge(), &from(None, false), request, response);
    if outcome.stop != Some(Stop::BadGateway) || outcome.is_whole {
        return Err(format!("{outcome:?}"));
    }
    same("to the client:", &outcome.to_client, to_client)
}

fn too_many_interims() -> Result<(), String> {
    let response = format!("{}HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 102 P\n\n".repeat(21));
    let outcome = exchange(&edge(), &from(None, false), GET, &response);
    if outcome.to_client.ends_with("\n\nHTTP/1.1 502 Bad Gateway\ncontent-length: 0\n\n") {
        Ok(())
    } else {
        Err(outcome.to_client)
    }
}

fn as_from(address: Option<&str>, secure: bool, forwarded: ForwardedPolicy, told: &str) -> Result<(), String> {
    let proxy = Intermediary { forwarded, ..edge() };
    let outcome = exchange(&proxy, &from(address, secure), GET, "");
    same("to the service:", &outcome.to_service, &format!("GET / HTTP/1.1\nHost: a\n{EDGE}{told}\n"))
}

#[test]
fn names_that_are_none() {
    for name in ["", "_", "a", "_a b", "_a\r\nb: c", "_\u{e9}", "_a,b", "_\"", &format!("_{}", "a".repeat(46))] {
        assert!(forward::Node::obfuscated(name, false).is_none(), "{name:?}");
    }
}
