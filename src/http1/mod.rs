//! RFC 9112: HTTP/1.1 on the wire.
