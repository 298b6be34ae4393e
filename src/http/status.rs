//! Status codes (RFC 9110 §15), with the reason phrases of the IANA registry.

use core::fmt;

/// A status code, 100 to 599. An unknown code counts as the `x00` of its class (RFC 9110 §15).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// The code, if it is one: 100 to 599 ("values outside the range 100..599 are invalid", RFC 9110 §15).
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 599 { Some(Self(code)) } else { None }
    }

    /// The number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// 1xx: more answers follow (§15.2).
    pub const fn is_informational(self) -> bool {
        self.0 < 200
    }

    /// 2xx: understood and done (§15.3).
    pub const fn is_successful(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    /// 3xx: something more is to be done (§15.4).
    pub const fn is_redirection(self) -> bool {
        self.0 >= 300 && self.0 < 400
    }

    /// 4xx: the client erred (§15.5).
    pub const fn is_client_error(self) -> bool {
        self.0 >= 400 && self.0 < 500
    }

    /// 5xx: the server failed (§15.6).
    pub const fn is_server_error(self) -> bool {
        self.0 >= 500
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({})", self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Constants, and the phrase of each, from one table.
macro_rules! registered {
    ($($code:literal $name:ident $reason:literal $section:literal;)*) => {
        impl Status {
            $(
                #[doc = concat!("`", $code, " ", $reason, "` (", $section, ").")]
                pub const $name: Self = Self($code);
            )*

            /// The reason phrase, empty for a code that is not registered.
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }

        #[cfg(test)]
        const REGISTERED: &[Status] = &[$(Status::$name),*];
    };
}

registered! {
    100 CONTINUE "Continue" "RFC 9110 §15.2.1";
    101 SWITCHING_PROTOCOLS "Switching Protocols" "RFC 9110 §15.2.2";
    102 PROCESSING "Processing" "RFC 2518 §10.1";
    103 EARLY_HINTS "Early Hints" "RFC 8297";
    200 OK "OK" "RFC 9110 §15.3.1";
    201 CREATED "Created" "RFC 9110 §15.3.2";
    202 ACCEPTED "Accepted" "RFC 9110 §15.3.3";
    203 NON_AUTHORITATIVE_INFORMATION "Non-Authoritative Information" "RFC 9110 §15.3.4";
    204 NO_CONTENT "No Content" "RFC 9110 §15.3.5";
    205 RESET_CONTENT "Reset Content" "RFC 9110 §15.3.6";
    206 PARTIAL_CONTENT "Partial Content" "RFC 9110 §15.3.7";
    207 MULTI_STATUS "Multi-Status" "RFC 4918 §11.1";
    208 ALREADY_REPORTED "Already Reported" "RFC 5842 §7.1";
    226 IM_USED "IM Used" "RFC 3229 §10.4.1";
    300 MULTIPLE_CHOICES "Multiple Choices" "RFC 9110 §15.4.1";
    301 MOVED_PERMANENTLY "Moved Permanently" "RFC 9110 §15.4.2";
    302 FOUND "Found" "RFC 9110 §15.4.3";
    303 SEE_OTHER "See Other" "RFC 9110 §15.4.4";
    304 NOT_MODIFIED "Not Modified" "RFC 9110 §15.4.5";
    305 USE_PROXY "Use Proxy" "RFC 9110 §15.4.6";
    307 TEMPORARY_REDIRECT "Temporary Redirect" "RFC 9110 §15.4.8";
    308 PERMANENT_REDIRECT "Permanent Redirect" "RFC 9110 §15.4.9";
    400 BAD_REQUEST "Bad Request" "RFC 9110 §15.5.1";
    401 UNAUTHORIZED "Unauthorized" "RFC 9110 §15.5.2";
    402 PAYMENT_REQUIRED "Payment Required" "RFC 9110 §15.5.3";
    403 FORBIDDEN "Forbidden" "RFC 9110 §15.5.4";
    404 NOT_FOUND "Not Found" "RFC 9110 §15.5.5";
    405 METHOD_NOT_ALLOWED "Method Not Allowed" "RFC 9110 §15.5.6";
    406 NOT_ACCEPTABLE "Not Acceptable" "RFC 9110 §15.5.7";
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required" "RFC 9110 §15.5.8";
    408 REQUEST_TIMEOUT "Request Timeout" "RFC 9110 §15.5.9";
    409 CONFLICT "Conflict" "RFC 9110 §15.5.10";
    410 GONE "Gone" "RFC 9110 §15.5.11";
    411 LENGTH_REQUIRED "Length Required" "RFC 9110 §15.5.12";
    412 PRECONDITION_FAILED "Precondition Failed" "RFC 9110 §15.5.13";
    413 CONTENT_TOO_LARGE "Content Too Large" "RFC 9110 §15.5.14";
    414 URI_TOO_LONG "URI Too Long" "RFC 9110 §15.5.15";
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type" "RFC 9110 §15.5.16";
    416 RANGE_NOT_SATISFIABLE "Range Not Satisfiable" "RFC 9110 §15.5.17";
    417 EXPECTATION_FAILED "Expectation Failed" "RFC 9110 §15.5.18";
    421 MISDIRECTED_REQUEST "Misdirected Request" "RFC 9110 §15.5.20";
    422 UNPROCESSABLE_CONTENT "Unprocessable Content" "RFC 9110 §15.5.21";
    423 LOCKED "Locked" "RFC 4918 §11.3";
    424 FAILED_DEPENDENCY "Failed Dependency" "RFC 4918 §11.4";
    425 TOO_EARLY "Too Early" "RFC 8470 §5.2";
    426 UPGRADE_REQUIRED "Upgrade Required" "RFC 9110 §15.5.22";
    428 PRECONDITION_REQUIRED "Precondition Required" "RFC 6585 §3";
    429 TOO_MANY_REQUESTS "Too Many Requests" "RFC 6585 §4";
    431 REQUEST_HEADER_FIELDS_TOO_LARGE "Request Header Fields Too Large" "RFC 6585 §5";
    451 UNAVAILABLE_FOR_LEGAL_REASONS "Unavailable For Legal Reasons" "RFC 7725 §3";
    500 INTERNAL_SERVER_ERROR "Internal Server Error" "RFC 9110 §15.6.1";
    501 NOT_IMPLEMENTED "Not Implemented" "RFC 9110 §15.6.2";
    502 BAD_GATEWAY "Bad Gateway" "RFC 9110 §15.6.3";
    503 SERVICE_UNAVAILABLE "Service Unavailable" "RFC 9110 §15.6.4";
    504 GATEWAY_TIMEOUT "Gateway Timeout" "RFC 9110 §15.6.5";
    505 HTTP_VERSION_NOT_SUPPORTED "HTTP Version Not Supported" "RFC 9110 §15.6.6";
    506 VARIANT_ALSO_NEGOTIATES "Variant Also Negotiates" "RFC 2295 §8.1";
    507 INSUFFICIENT_STORAGE "Insufficient Storage" "RFC 4918 §11.5";
    508 LOOP_DETECTED "Loop Detected" "RFC 5842 §7.2";
    511 NETWORK_AUTHENTICATION_REQUIRED "Network Authentication Required" "RFC 6585 §6";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range() {
        for code in 0..=u16::MAX {
            assert_eq!(Status::new(code).map(Status::code), (100..=599).contains(&code).then_some(code));
        }
    }

    #[test]
    fn one_class_each() {
        for status in (100..=599).filter_map(Status::new) {
            let classes = [
                status.is_informational(),
                status.is_successful(),
                status.is_redirection(),
                status.is_client_error(),
                status.is_server_error(),
            ];
            let class = classes.iter().position(|&c| c).map(|at| at + 1);
            assert_eq!(class, Some(usize::from(status.code() / 100)));
            assert_eq!(classes.iter().filter(|&&c| c).count(), 1);
        }
    }

    #[test]
    fn phrases() {
        assert_eq!(REGISTERED.len(), 60);
        assert!(REGISTERED.is_sorted());
        assert!(REGISTERED.iter().all(|status| !status.reason().is_empty()));
        assert_eq!(Status::SWITCHING_PROTOCOLS.reason(), "Switching Protocols");
        assert_eq!(Status::new(599).map(Status::reason), Some(""));
        assert_eq!(std::format!("{} {:?}", Status::OK, Status::OK), "200 Status(200)");
    }
}
