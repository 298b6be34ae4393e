//! A WebSocket client for the terminal, with the standard library only: `wscat --help` says how.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people use")]

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::{env, mem, thread, time::Duration};

use hopwire::http1::client::{Client, Config, Event};
use hopwire::io::{Rx, Tx, Wants};
use hopwire::ws::handshake::{Agreed, Request, deflate};
use hopwire::ws::{Message, Received};
use hopwire::{Entropy, time::Instant, ws};

const HELP: &str = "\
usage: wscat [OPTIONS] ws://HOST[:PORT]/PATH

Sends each line of standard input as a text message, and prints each message received as a line.

lines with a meaning of their own:
  /binary HEX             sends bytes; bytes received are printed so
  /ping [TEXT]            sends a ping
  /close [CODE [REASON]]  closes, with 1000 if no code is given; so does the end of the input
  //TEXT                  sends /TEXT

options:
  -p, --protocol NAME     offers a subprotocol; repeat it for more
  -H, --header FIELD      sends a header field, 'Name: value'; repeat it for more
  -w, --wait SECONDS      at the end of the input, closes after so much silence instead of at once
  -n, --no-compression    does not offer permessage-deflate
  -q, --quiet             prints nothing but messages and errors
  -h, --help              prints this

exit code: 0 closed in good order; 1 no connection; 2 wrong usage; 3 the connection failed, or was closed by the server
with a code other than 1000 and 1001
";

fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("wscat: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    let mut cat = match Cat::connect(&options) {
        Ok(cat) => cat,
        Err(error) => {
            eprintln!("wscat: {error}");
            return ExitCode::from(1);
        }
    };
    match cat.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            eprintln!("wscat: {error}");
            ExitCode::from(3)
        }
    }
}

struct Options {
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    wait: Duration,
    compression: bool,
    quiet: bool,
}

impl Options {
    /// `None` asks for help.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            url: String::new(),
            protocols: Vec::new(),
            headers: Vec::new(),
            wait: Duration::ZERO,
            compression: true,
            quiet: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "-h" | "--help" => return Ok(None),
                "-p" | "--protocol" => options.protocols.push(value()?),
                "-H" | "--header" => {
                    let field = value()?;
                    let (name, value) = field.split_once(':').ok_or_else(|| format!("'{field}' has no colon"))?;
                    options.headers.push((name.trim().into(), value.trim().into()));
                }
                "-w" | "--wait" => {
                    let seconds = value()?;
                    options.wait =
                        seconds.parse().map(Duration::from_secs).map_err(|_| format!("not a number: {seconds}"))?;
                }
                "-n" | "--no-compression" => options.compression = false,
                "-q" | "--quiet" => options.quiet = true,
                _ if argument.starts_with('-') => return Err(format!("unknown option {argument}")),
                _ if !options.url.is_empty() => return Err("more than one URL".into()),
                _ => options.url = argument,
            }
        }
        match ws::Url::parse(&options.url) {
            _ if options.url.is_empty() => Err("no URL".into()),
            Err(error) => Err(format!("{}: {error}", options.url)),
            Ok(_) => Ok(Some(options)),
        }
    }
}

struct Cat {
    session: ws::Session<ws::Client<Random>>,
    shared: ws::Shared,
    wire: Wire,
    quiet: bool,
    /// How long to wait in silence once there are no more lines.
    patience: Duration,
    /// No more lines come: when to close.
    close_at: Option<Instant>,
    /// Whether the end was what we asked for, or in good order.
    good: bool,
}

impl Cat {
    /// Opens the connection. Whatever the server answers instead is printed.
    fn connect(options: &Options) -> Result<Self, Box<dyn Error>> {
        let url = ws::Url::parse(&options.url)?;
        if url.is_secure() {
            return Err("wss needs TLS, which the standard library does not have".into());
        }
        let protocols: Vec<_> = options.protocols.iter().map(String::as_str).collect();
        let headers: Vec<_> = options.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let offers: &[_] = if options.compression { &[deflate::Offer::ANY] } else { &[] };
        let (mut random, mut nonce) = (Random { keyed: RandomState::new(), count: 0 }, [0; 16]);
        random.fill(&mut nonce);
        let request = Request::new(url, nonce).subprotocols(&protocols).deflate(offers).fields(&headers);

        let mut http = Client::new(Config { whole_timeout: Some(PATIENCE), ..Config::new() });
        let mut wire = Wire::connect(url.host(), url.port())?;
        request.send(&mut http, &mut Tx::growing(&mut wire.out, MAX_OUTPUT))?;
        let agreed = loop {
            wire.flush();
            let now = wire.epoch.now();
            let mut rx = wire.rx();
            let agreed = answer(&request, &mut http, now, &mut rx)?;
            let used = rx.consumed();
            wire.inbox.drain(..used);
            if let Some(agreed) = agreed {
                break agreed;
            }
            wire.wait(http.poll_timeout());
            http.handle_timeout(wire.epoch.now());
        };
        if !options.quiet {
            let protocol = agreed.subprotocol.map_or(String::new(), |name| format!(", subprotocol {name}"));
            let deflate = agreed.deflate.map_or(String::new(), |params| format!(", {params}"));
            eprintln!("connected{protocol}{deflate}");
        }
        let session = ws::Session::client(random, ws::Config::new(), agreed.deflate);
        Ok(Self {
            session,
            shared: ws::Shared::default(),
            wire,
            quiet: options.quiet,
            patience: options.wait,
            close_at: None,
            good: false,
        })
    }
}

/// Takes what the server says before it speaks WebSocket. Any other answer is printed, and is an error.
fn answer<'a>(
    request: &Request<'a>,
    http: &mut Client,
    now: Instant,
    rx: &mut Rx<'_>,
) -> Result<Option<Agreed<'a>>, Box<dyn Error>> {
    while let Some(event) = http.poll(now, rx)? {
        match event {
            Event::Switched(response) => return Ok(request.judge(&response)?),
            Event::Response(response) => {
                eprintln!("the server answered {} {}", response.code(), response.reason().escape_ascii());
            }
            Event::Body(data) => eprint!("{}", harmless(&String::from_utf8_lossy(data))),
            Event::End => return Err("not connected".into()),
            _ => {}
        }
    }
    if http.wants() == Wants::Close { Err("not connected".into()) } else { Ok(None) }
}

impl Cat {
    /// Talks until the connection is closed; whether that was in good order.
    fn run(&mut self) -> Result<bool, Box<dyn Error>> {
        self.wire.line_is_due = true;
        loop {
            let result = self.receive();
            self.wire.flush();
            if result.is_err() || self.session.wants() == Wants::Close {
                self.wire.end();
                return result.map(|()| self.good);
            }
            let before = self.wire.inbox.len();
            if before > MAX_OUTPUT {
                return Err("the server does not read the answers to its pings".into());
            }
            match self.wire.wait(self.session.poll_timeout().into_iter().chain(self.close_at).min()) {
                Some(Some(line)) => self.obey(&line)?,
                Some(None) => self.close_at = self.wire.epoch.now().checked_add(self.patience),
                None if self.wire.inbox.len() > before && self.close_at.is_some() => {
                    self.close_at = self.wire.epoch.now().checked_add(self.patience);
                }
                None => {}
            }
            if self.close_at.take_if(|at| *at <= self.wire.epoch.now()).is_some() {
                self.obey("/close")?;
            }
            let mut tx = Tx::growing(&mut self.wire.out, MAX_OUTPUT);
            self.session.handle_timeout(self.wire.epoch.now(), &mut tx)?;
        }
    }

    /// Prints all that has come.
    fn receive(&mut self) -> Result<(), Box<dyn Error>> {
        let mut rx = if self.wire.ended { Rx::last(&mut self.wire.inbox) } else { Rx::new(&mut self.wire.inbox) };
        let mut tx = Tx::growing(&mut self.wire.out, MAX_OUTPUT);
        let mut stdout = io::stdout().lock();
        while let Some(received) = self.session.poll_any(self.wire.epoch.now(), &mut self.shared, &mut rx, &mut tx)? {
            match received {
                Received::Message(Message::Text(text), _) => {
                    // A text that begins with a slash is printed as it would have to be typed.
                    let slash = if text.as_bytes().starts_with(b"/") { "/" } else { "" };
                    match stdout.is_terminal() {
                        true => writeln!(stdout, "{slash}{}", harmless(text.as_str()))?,
                        false => writeln!(stdout, "{slash}{}", text.as_str())?,
                    }
                }
                Received::Message(Message::Binary(data), _) => writeln!(stdout, "/binary {}", hex(data))?,
                Received::Control(ws::Event::Pong(data)) if !self.quiet => eprintln!("pong {}", data.escape_ascii()),
                Received::Control(ws::Event::Close { code, reason }) => {
                    let code = code.map_or(1005, ws::CloseCode::code);
                    self.good |= matches!(code, 1000 | 1001 | 1005);
                    if !self.quiet {
                        eprintln!("closed with {code} {}", harmless(reason.as_str()));
                    }
                }
                Received::Control(_) => {}
            }
        }
        let used = rx.consumed();
        self.wire.inbox.drain(..used);
        Ok(())
    }

    /// Does what a line of standard input says.
    fn obey(&mut self, line: &str) -> Result<(), Box<dyn Error>> {
        let now = self.wire.epoch.now();
        let mut tx = Tx::growing(&mut self.wire.out, MAX_OUTPUT);
        let mut outbox = self.session.outbox(&mut self.shared);
        if outbox.is_closing() {
            return Ok(());
        }
        let Some(command) = line.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
            let text = line.strip_prefix('/').unwrap_or(line);
            return Ok(outbox.send_text(text, &mut tx)?);
        };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "binary" => match unhex(rest) {
                Some(data) => outbox.send_binary(&data, &mut tx)?,
                None => eprintln!("wscat: not an even number of hex digits: {rest}"),
            },
            "ping" => {
                if let Err(error) = outbox.send_ping(rest.as_bytes(), &mut tx) {
                    eprintln!("wscat: {error}");
                }
            }
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = if code.is_empty() { Some(1000) } else { code.parse().ok() };
                match code.and_then(ws::CloseCode::new) {
                    Some(code) => match outbox.close(now, code, reason, &mut tx) {
                        Ok(()) => self.good = true,
                        Err(error) => eprintln!("wscat: {error}"),
                    },
                    None => eprintln!("wscat: not a code that can be sent: {rest}"),
                }
            }
            _ => eprintln!(
                "wscat: no such command: /{name} (a text that begins with / is typed with another / before it)"
            ),
        }
        Ok(())
    }
}

/// The socket, its buffers, and all that happens outside, in one queue.
struct Wire {
    stream: TcpStream,
    inbox: Vec<u8>,
    out: Vec<u8>,
    ended: bool,
    epoch: Epoch,
    inputs: Receiver<Input>,
    /// Gives bytes to the thread that writes.
    writer: Sender<Vec<u8>>,
    /// Whether that thread has not finished. What comes is read all the same: a server that waits for that reads nothing either.
    writing: bool,
    /// Asks for a line of standard input.
    next_line: Sender<()>,
    /// Whether the one before it is dealt with.
    line_is_due: bool,
}

/// What happens outside.
enum Input {
    /// A line of standard input, or its end.
    Line(Option<String>),
    Received(Vec<u8>),
    /// All that was to be sent is sent.
    Written,
    /// The server has stopped writing, or the connection broke.
    Ended,
}

impl Wire {
    fn connect(host: &str, port: u16) -> Result<Self, Box<dyn Error>> {
        let stream = TcpStream::connect((host, port)).map_err(|error| format!("{host}, port {port}: {error}"))?;
        stream.set_nodelay(true)?;
        let (sender, inputs) = mpsc::sync_channel(16);
        let (mut reader, received) = (stream.try_clone()?, sender.clone());
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            loop {
                let input = match reader.read(&mut buffer) {
                    Ok(n @ 1..) => Input::Received(buffer[..n].to_vec()),
                    Ok(0) | Err(_) => Input::Ended,
                };
                let ended = matches!(input, Input::Ended);
                if received.send(input).is_err() || ended {
                    return;
                }
            }
        });
        let (writer, to_write) = mpsc::channel::<Vec<u8>>();
        let (mut writing, written) = (stream.try_clone()?, sender.clone());
        thread::spawn(move || {
            for bytes in to_write {
                if writing.write_all(&bytes).is_err() {
                    // A server that takes nothing any more may still have said something.
                    drop(written.send(Input::Ended));
                }
                drop(written.send(Input::Written));
            }
        });
        let (next_line, asked) = mpsc::channel();
        let line = sender.clone();
        // Nobody listens only once all is over.
        thread::spawn(move || asked.iter().try_for_each(|()| line.send(Input::Line(read_line()))));
        Ok(Self {
            stream,
            inbox: Vec::new(),
            out: Vec::new(),
            ended: false,
            epoch: Epoch(std::time::Instant::now()),
            inputs,
            writer,
            writing: false,
            next_line,
            line_is_due: false,
        })
    }

    fn rx(&mut self) -> Rx<'_> {
        if self.ended { Rx::last(&mut self.inbox) } else { Rx::new(&mut self.inbox) }
    }

    /// Sends what is to be sent, as fast as the server reads.
    fn flush(&mut self) {
        if !self.writing && !self.out.is_empty() {
            self.writing = self.writer.send(mem::take(&mut self.out)).is_ok();
        }
    }

    /// Waits for something to happen, at most until `deadline`. What the server sent goes to the inbox.
    fn wait(&mut self, deadline: Option<Instant>) -> Option<Option<String>> {
        let patience = deadline.map_or(Duration::MAX, |at| at.saturating_since(self.epoch.now()));
        if self.line_is_due && !self.writing {
            self.line_is_due = self.next_line.send(()).is_err();
        }
        match self.inputs.recv_timeout(patience) {
            Ok(Input::Line(line)) => {
                self.line_is_due = line.is_some();
                return Some(line);
            }
            Ok(Input::Written) => self.writing = false,
            Ok(Input::Received(bytes)) => self.inbox.extend_from_slice(&bytes),
            Ok(Input::Ended) | Err(RecvTimeoutError::Disconnected) => self.ended = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
        None
    }

    /// Ends the connection so that the server gets our last words: stop writing, read to its end for a bounded time.
    fn end(&mut self) {
        let until = self.epoch.now().checked_add(LINGER);
        let mut open = true;
        while (self.writing || !self.ended) && until > Some(self.epoch.now()) {
            self.flush();
            if open && !self.writing {
                open = false;
                // What fails here, fails after the connection is over.
                let _ = self.stream.shutdown(Shutdown::Write);
            }
            self.wait(until);
            self.inbox.clear();
        }
    }
}

/// The next line of standard input; `None` at its end.
fn read_line() -> Option<String> {
    loop {
        match io::stdin().lines().next()? {
            Ok(line) => return Some(line),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                eprintln!("wscat: a line that is not UTF-8 is not sent");
            }
            Err(_) => return None,
        }
    }
}

#[derive(Clone, Copy)]
struct Epoch(std::time::Instant);

impl Epoch {
    fn now(self) -> Instant {
        Instant::from(self.0.elapsed())
    }
}

/// Random numbers of the standard library: its hashers are keyed by the system's.
struct Random {
    keyed: RandomState,
    count: u64,
}

impl Entropy for Random {
    fn fill(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            self.count += 1;
            chunk.copy_from_slice(&self.keyed.hash_one(self.count).to_ne_bytes()[..chunk.len()]);
        }
    }
}

/// What a server says, without what a terminal would obey.
fn harmless(text: &str) -> String {
    let is_harmless = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().map(|c| if is_harmless(&c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().filter(|c| *c != ' ').map(|c| c.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}

/// How long the server may take to answer the handshake.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the server may take to close the connection once all is said.
const LINGER: Duration = Duration::from_secs(2);
const MAX_MESSAGE: usize = 64 << 20;
const MAX_OUTPUT: usize = MAX_MESSAGE + (1 << 20);
