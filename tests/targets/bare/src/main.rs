//! An HTTP server that becomes a WebSocket echo, on a machine with no operating system, allocator or standard library,
//! with two buffers of 1 KiB. It shows that hopwire links there, and how much code that is; nobody runs it.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;
use core::time::Duration;

use hopwire::http::Status;
use hopwire::http1::server::{Config, Event, Server};
use hopwire::io::{RxBuffer, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{self, Handshake, OriginPolicy};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let (mut inbox, mut outbox) = (RxBuffer::new([0; 1024]), [0; 1024]);
    let mut http = Server::new(Config { max_body: 4096, ..Config::new() });
    let mut ws = None;
    loop {
        // The network would bring bytes here, and a timer the time.
        let received = black_box(inbox.space()).len();
        inbox.advance(received);
        let mut tx = Tx::new(&mut outbox);
        let wants = converse(&mut http, &mut ws, &mut inbox, &mut tx, Duration::from_secs(black_box(1)).into());
        black_box((wants, tx.written()));
    }
}

/// What was received is answered; `None` once a rule was broken, and the words about it are all that is left to write.
fn converse(
    http: &mut Server,
    ws: &mut Option<ws::Connection<ws::Server>>,
    inbox: &mut RxBuffer<[u8; 1024]>,
    tx: &mut Tx<'_>,
    now: Instant,
) -> Option<Wants> {
    let mut rx = inbox.rx();
    while let Some(event) = http.poll(now, &mut rx, tx).ok()? {
        match event {
            Event::Request(request) => match Handshake::of(&request) {
                Ok(None) => {}
                Ok(Some(handshake)) => match handshake.accept(OriginPolicy::SameHost) {
                    Ok(answer) => {
                        answer.respond(http, tx).ok()?;
                        *ws = Some(ws::Connection::default());
                    }
                    Err(refusal) => refusal.respond(http, tx).ok()?,
                },
                Err(refusal) => refusal.respond(http, tx).ok()?,
            },
            Event::End => http.respond_with(Status::OK, &[], b"hello", tx).ok()?,
            _ => {}
        }
    }
    http.handle_timeout(now, tx).ok()?;
    let mut wants = http.wants();
    if let Some(ws) = ws {
        while let Some(event) = ws.poll(now, &mut rx, tx).ok()? {
            match event {
                ws::Event::Text { text, end } => ws.send_text_piece(text, end, tx).ok()?,
                ws::Event::Binary { data, end } => ws.send_binary_piece(data, end, tx).ok()?,
                _ => {}
            }
        }
        ws.handle_timeout(now, tx).ok()?;
        wants = ws.wants();
    }
    let used = rx.consumed();
    inbox.consume(used);
    Some(wants)
}

#[panic_handler]
fn halt(_: &PanicInfo<'_>) -> ! {
    loop {}
}
