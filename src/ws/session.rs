//! The paved path: whole messages, compressed or not, and keep-alive, in one type.

use super::deflate::Piece;
use super::handshake::{self, Handshake, deflate, deflate::Params};
use super::message::Ready;
use super::shared::{Compression, Direction, Shared};
use super::{
    Client, CloseCode, Config, Connection, Event, Frame, Kind, Message, Messages, Misuse, OriginPolicy, Prepared, Role,
    Server, Violation,
};
use crate::Entropy;
use crate::bytes::Text;
use crate::http1;
use crate::io::{Full, Rx, SendError, Tx, Wants};
use crate::time::Instant;

/// A [`Connection`] that delivers and sends whole messages, compressed where that was negotiated.
///
/// ```
/// use hopwire::{io::{Rx, Tx}, time::Instant, ws};
///
/// fn echo(
///     session: &mut ws::Session<ws::Server>, shared: &mut ws::Shared, now: Instant, rx: &mut Rx<'_>, tx: &mut Tx<'_>,
/// ) -> Result<(), Box<dyn core::error::Error>> {
///     while let Some((message, mut outbox)) = session.poll(now, shared, rx, tx)? {
///         match message {
///             ws::Message::Text(text) => outbox.send_text(text, tx)?,
///             ws::Message::Binary(data) => outbox.send_binary(data, tx)?,
///         }
///     }
///     Ok(()) // session.wants() says what for
/// }
///
/// // After the handshake, with what `ws::handshake::deflate::negotiate` found; here that a server may compress.
/// let mut session = ws::Session::server(ws::Config::new(), Some(Default::default()));
/// let mut shared = ws::Shared::default(); // one a thread
/// let mut out = Vec::new();
/// // RFC 7692 §7.2.3.2: "Hello" compressed, and again with the context of the first
/// let mut wire = *b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x85\0\0\0\0\xf2\x00\x11\x00\x00";
/// let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::growing(&mut out, 1 << 20));
/// echo(&mut session, &mut shared, Instant::ZERO, &mut rx, &mut tx)?;
/// assert_eq!(tx.written(), b"\x81\x05Hello\x81\x05Hello"); // too short to be worth compressing
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// The server's part from the first byte, here in one read; after the 101 every read goes to the session:
///
/// ```
/// use hopwire::{http1::{self, server::Event}, io::{Rx, Tx}, time::Instant, ws::{self, handshake::deflate}};
///
/// let (now, mut http, mut out) = (Instant::ZERO, http1::Server::default(), Vec::new());
/// let mut received = *b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
///     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n\x81\x82\0\0\0\0hi";
/// let (mut rx, mut tx) = (Rx::new(&mut received), Tx::growing(&mut out, 1 << 20));
/// let Some(Event::Request(request)) = http.poll(now, &mut rx, &mut tx)? else { panic!() };
/// let (policy, deflate) = (ws::OriginPolicy::SameHost, Some(deflate::Config::new()));
/// let session = ws::Session::accept(&request, policy, deflate, ws::Config::new(), &mut http, &mut tx)?;
/// let mut session = session.expect("an ordinary request, or one that was refused, is none");
///
/// let mut shared = ws::Shared::default();
/// let Some((message, mut outbox)) = session.poll(now, &mut shared, &mut rx, &mut tx)? else { panic!() };
/// assert_eq!(message, ws::Message::Text("hi".into()));
/// outbox.send_text(&*"so it is! ".repeat(100), &mut tx)?;
/// assert!(tx.len() < 300, "the answer to the request, and 1,000 bytes compressed");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// A message in one plain frame is not copied: it lies where it was received. An idle session holds no heap; with compression
/// and context takeover, for each side that keeps its context, the window that was agreed for it.
#[derive(Debug)]
pub struct Session<R> {
    conn: Connection<R>,
    messages: Messages,
    compression: Option<Compression>,
}

impl Session<Server> {
    /// The whole handshake, for who adds nothing to its answer: a request to speak WebSocket is answered with 101, and the
    /// session begins; or it is [refused](handshake::Refusal). An ordinary request is left to the caller:
    /// [`owes_response`](http1::Server::owes_response) tells it from one that was refused.
    ///
    /// `deflate` is what compression may be agreed to, `None` is none. For subprotocols, cookies, or somebody else's HTTP, see
    /// [`Handshake`].
    ///
    /// # Errors
    /// `Full`, never with 300 bytes of room: nothing is answered, and `request` will not be told again; `Misuse` if `http`
    /// waits for no answer.
    pub fn accept(
        request: &http1::Request<'_>,
        policy: OriginPolicy<'_>,
        deflate: Option<deflate::Config>,
        config: Config,
        http: &mut http1::Server,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Self>, SendError<handshake::Misuse>> {
        let refusal = match Handshake::of(request) {
            Ok(None) => return Ok(None),
            Ok(Some(handshake)) => match handshake.accept(policy) {
                Ok(answer) => {
                    let params = deflate.and_then(|config| deflate::negotiate(&handshake, config));
                    answer.deflate(params).respond(http, tx)?;
                    return Ok(Some(Self::server(config, params)));
                }
                Err(refusal) => refusal,
            },
            Err(refusal) => refusal,
        };
        refusal.respond(http, tx)?;
        Ok(None)
    }

    /// The server's end, with what [`negotiate`](super::handshake::deflate::negotiate) found.
    pub const fn server(config: Config, deflate: Option<Params>) -> Self {
        let compression = match deflate {
            Some(params) => {
                Some(Compression::new(&config, Direction::of_client(&params), Direction::of_server(&params)))
            }
            None => None,
        };
        let config = Config { compression: compression.is_some(), ..config };
        Self::new(Connection::server(config), config, compression)
    }
}

impl<E: Entropy> Session<Client<E>> {
    /// The client's end, with what the server's answer [agreed](super::handshake::Agreed) to.
    pub const fn client(entropy: E, config: Config, deflate: Option<Params>) -> Self {
        let compression = match deflate {
            Some(params) => {
                Some(Compression::new(&config, Direction::of_server(&params), Direction::of_client(&params)))
            }
            None => None,
        };
        let config = Config { compression: compression.is_some(), ..config };
        Self::new(Connection::client(entropy, config), config, compression)
    }
}

impl<R> Session<R> {
    const fn new(conn: Connection<R>, config: Config, compression: Option<Compression>) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "no message is longer than memory")]
        let max_message = if config.max_message > usize::MAX as u64 { usize::MAX } else { config.max_message as usize };
        Self { conn, messages: Messages::new(max_message), compression }
    }

    /// The connection, to be asked.
    pub const fn connection(&self) -> &Connection<R> {
        &self.conn
    }

    /// See [`Connection::wants`].
    pub const fn wants(&self) -> Wants {
        self.conn.wants()
    }

    /// See [`Connection::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.conn.poll_timeout()
    }

    /// For sending: without `shared`, a session cannot compress.
    pub const fn outbox<'s>(&'s mut self, shared: &'s mut Shared) -> Outbox<'s, R> {
        Outbox { conn: &mut self.conn, compression: &mut self.compression, shared }
    }
}

impl<R: Role> Session<R> {
    /// Consumes input up to the next message: the message, and what answers it.
    ///
    /// Pings and a Close are answered already.
    ///
    /// # Errors
    /// See [`Connection::poll`]. Compressed data that is broken or too much fails the connection like anything else.
    pub fn poll<'m, 'b: 'm>(
        &'m mut self,
        now: Instant,
        shared: &'m mut Shared,
        rx: &mut Rx<'b>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<(Message<'m>, Outbox<'m, R>)>, Violation> {
        let ready = loop {
            match self.next(now, shared, rx, tx)? {
                Some(Next::Message(ready)) => break ready,
                Some(Next::Control(_)) => {}
                None => return Ok(None),
            }
        };
        let Self { conn, messages, compression } = self;
        Ok(Some((messages.message(ready), Outbox { conn, compression, shared })))
    }

    /// As [`poll`](Self::poll), with the control frames: for who wants to know of pongs, or why the peer closes.
    ///
    /// # Errors
    /// See [`poll`](Self::poll).
    pub fn poll_any<'m, 'b: 'm>(
        &'m mut self,
        now: Instant,
        shared: &'m mut Shared,
        rx: &mut Rx<'b>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Received<'m, 'b, R>>, Violation> {
        Ok(match self.next(now, shared, rx, tx)? {
            Some(Next::Message(ready)) => {
                let Self { conn, messages, compression } = self;
                Some(Received::Message(messages.message(ready), Outbox { conn, compression, shared }))
            }
            Some(Next::Control(event)) => Some(Received::Control(event)),
            None => None,
        })
    }

    /// See [`Connection::handle_timeout`].
    ///
    /// # Errors
    /// `Full` when something was to be sent and has no room in `tx`: call again with more.
    pub fn handle_timeout(&mut self, now: Instant, tx: &mut Tx<'_>) -> Result<(), Full> {
        let outcome = self.conn.handle_timeout(now, tx);
        if !self.conn.is_receiving() {
            self.let_go();
        }
        outcome
    }

    fn next<'b>(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        rx: &mut Rx<'b>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Next<'b>>, Violation> {
        self.messages.give_back(&mut shared.spare);
        loop {
            let event = match self.conn.poll(now, rx, tx) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(None),
                Err(violation) => {
                    self.let_go();
                    return Err(violation);
                }
            };
            if matches!(event, Event::Close { .. }) {
                self.let_go();
            }
            if matches!(event, Event::Ping(_) | Event::Pong(_) | Event::Close { .. }) {
                return Ok(Some(Next::Control(event)));
            }
            match self.take(event, shared) {
                Ok(Some(ready)) => return Ok(Some(Next::Message(ready))),
                Ok(None) => {}
                // The next poll sends the Close.
                Err(violation) => self.conn.fail(violation),
            }
        }
    }

    /// No message will come any more: the memory of what began is not needed while the end is waited for.
    fn let_go(&mut self) {
        self.messages = Messages::new(0);
        self.compression = None;
    }

    fn take<'b>(&mut self, event: Event<'b>, shared: &mut Shared) -> Result<Option<Ready<'b>>, Violation> {
        match (event, &mut self.compression) {
            (Event::Compressed { kind, data, end }, Some(compression)) => {
                self.messages.borrow(&mut shared.spare);
                compression.inflate(Piece { kind, data, end }, &mut self.messages, shared)
            }
            (event @ (Event::Text { end: false, .. } | Event::Binary { end: false, .. }), _) => {
                self.messages.borrow(&mut shared.spare);
                self.messages.take(event)
            }
            (event, _) => self.messages.take(event),
        }
    }
}

/// What a [`Session`] received.
#[derive(Debug)]
pub enum Received<'m, 'b, R> {
    /// A whole message, and what answers it.
    Message(Message<'m>, Outbox<'m, R>),
    /// A ping, a pong or a Close, answered already (a ping, unless [`Config::auto_pong`] is off).
    Control(Event<'b>),
}

/// The same, before it is asked for.
enum Next<'b> {
    Message(Ready<'b>),
    Control(Event<'b>),
}

/// The sending half of a [`Session`].
#[derive(Debug)]
pub struct Outbox<'s, R> {
    conn: &'s mut Connection<R>,
    compression: &'s mut Option<Compression>,
    shared: &'s mut Shared,
}

impl Outbox<'_, Server> {
    /// As [`send_prepared`](Self::send_prepared), without a copy: the bytes to be written from where they lie, behind what is
    /// in `tx` and before anything else (writev, or a queue of what is shared).
    ///
    /// ```
    /// # use hopwire::ws;
    /// let (mut session, mut shared) = (ws::Session::server(ws::Config::new(), None), ws::Shared::default());
    /// let message = ws::Prepared::text("to all");
    /// let wire = session.outbox(&mut shared).send_prepared_in_place(&message)?;
    /// assert_eq!(wire, b"\x81\x06to all"); // socket.write(wire)?
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Misuse` after a Close or inside an unfinished message.
    #[inline]
    pub fn send_prepared_in_place<'p>(&mut self, message: &'p Prepared) -> Result<&'p [u8], SendError<Misuse>> {
        let frame = self.frame_of(message);
        let wire = self.conn.send_frame_in_place(frame)?;
        self.sent(message, frame);
        Ok(wire)
    }
}

impl<R: Role> Outbox<'_, R> {
    /// Sends a text message, compressed if that makes it smaller, or if our context is kept, but not beyond
    /// [`Config::max_ratio`].
    ///
    /// # Errors
    /// `Full`, after which what is compressed refers to nothing before it, so much is needed then: in one frame, never a fiftieth
    /// and 30 bytes more than `text`. `Misuse` after a Close or inside an unfinished message.
    pub fn send_text<'t>(&mut self, text: impl Into<Text<'t>>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let text = text.into();
        match self.compressing(text.len()) {
            false => self.conn.send_text(text, tx),
            true => self.send(Kind::Text, text.as_bytes(), tx),
        }
    }

    /// Sends a binary message, compressed if that makes it smaller, or if our context is kept, but not beyond
    /// [`Config::max_ratio`].
    ///
    /// # Errors
    /// `Full`, after which what is compressed refers to nothing before it, so much is needed then: in one frame, never a fiftieth
    /// and 30 bytes more than `data`. `Misuse` after a Close or inside an unfinished message.
    pub fn send_binary(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        match self.compressing(data.len()) {
            false => self.conn.send_binary(data, tx),
            true => self.send(Kind::Binary, data, tx),
        }
    }

    /// Sends a message that was encoded before, in the shape that was negotiated here.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished message.
    pub fn send_prepared(&mut self, message: &Prepared, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let frame = self.frame_of(message);
        self.conn.send_frame(frame, tx)?;
        self.sent(message, frame);
        Ok(())
    }

    fn frame_of<'p>(&self, message: &'p Prepared) -> Frame<'p> {
        message.frame_for(self.compression.as_ref().map(Compression::window_bits))
    }

    fn sent(&mut self, message: &Prepared, frame: Frame<'_>) {
        if let (true, Some(compression)) = (frame.is_compressed(), &mut self.compression) {
            compression.append(message.payload());
        }
    }

    /// See [`Connection::send_ping`].
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or for more than 125 bytes.
    pub fn send_ping(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.conn.send_ping(data, tx)
    }

    /// See [`Connection::send_pong`]: for who has switched [`Config::auto_pong`] off.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or for more than 125 bytes.
    pub fn send_pong(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.conn.send_pong(data, tx)
    }

    /// See [`Connection::send_text_piece`]: for a message that is not in memory as a whole. It is not compressed.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished binary message.
    pub fn send_text_piece<'t>(
        &mut self,
        text: impl Into<Text<'t>>,
        end: bool,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.conn.send_text_piece(text, end, tx)
    }

    /// See [`Connection::send_binary_piece`]: for a message that is not in memory as a whole. It is not compressed.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished text message.
    pub fn send_binary_piece(&mut self, data: &[u8], end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.conn.send_binary_piece(data, end, tx)
    }

    /// See [`Connection::close`].
    ///
    /// # Errors
    /// `Full`; `Misuse` for a reason of more than 123 bytes.
    pub fn close(
        &mut self,
        now: Instant,
        code: CloseCode,
        reason: &str,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.conn.close(now, code, reason, tx)
    }

    /// See [`Connection::is_closing`]: nothing more can be sent.
    pub const fn is_closing(&self) -> bool {
        self.conn.is_closing()
    }

    fn compressing(&self, len: usize) -> bool {
        self.compression.as_ref().is_some_and(|compression| compression.compresses(len))
    }

    fn send(&mut self, kind: Kind, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.conn.check_whole()?;
        match self.send_compressed(kind, data, tx) {
            // What was known is forgotten: without it, perhaps more is needed.
            Err(SendError::Full(_)) if self.compression.as_ref().is_some_and(Compression::keeps_context) => {
                self.send_compressed(kind, data, tx)
            }
            sent => sent,
        }
    }

    fn send_compressed(&mut self, kind: Kind, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let Some(compression) = &mut self.compression else { return Ok(()) };
        let packed = compression.deflate(Piece { kind, data, end: true }, self.shared);
        let fair = compression.is_fair(packed.len(), data.len());
        if !fair {
            compression.forget();
        }
        // With context even what is no smaller is part of it.
        let sent = match kind {
            _ if fair && (packed.len() < data.len() || compression.keeps_context()) => {
                self.conn.send_compressed(kind, packed, tx).inspect_err(|_| compression.forget())
            }
            Kind::Text => self.conn.send_text(Text::from_validated(data), tx),
            Kind::Binary => self.conn.send_binary(data, tx),
        };
        self.shared.release();
        sent
    }
}
