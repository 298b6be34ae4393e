//! The bytes that go in: request heads, frames, texts; and a small frame reader to check what comes out.

/// picohttpparser's bench.c request.
pub const BROWSER_703: &[u8] = b"GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n\
Host: www.kittyhell.com\r\n\
User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n\
Accept-Encoding: gzip,deflate\r\n\
Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n\
Keep-Alive: 115\r\n\
Connection: keep-alive\r\n\
Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; __utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; __utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral\r\n\r\n";
pub const SHORT_68: &[u8] = b"GET /cookies HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nUser-Agent: curl/8.\r\n\r\n";
pub const UPGRADE_230: &[u8] = b"GET /chat?id=42 HTTP/1.1\r\n\
Host: server.example.com:8080\r\n\
Upgrade: websocket\r\n\
Connection: Upgrade\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Origin: http://example.com\r\n\
Sec-WebSocket-Protocol: chat\r\n\
Sec-WebSocket-Version: 13\r\n\r\n";
pub fn chrome_1500() -> Vec<u8> {
    let mut s = String::from(
        "GET /app/dashboard/projects/4711/issues?state=open&sort=updated&page=3 HTTP/1.1\r\n\
Host: app.example.com\r\n\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Windows\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-User: ?1\r\n\
Sec-Fetch-Dest: document\r\n\
Referer: https://app.example.com/app/dashboard/projects/4711\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n\
Cookie: _ga=GA1.2.1234567890.1700000000; _gid=GA1.2.987654321.1700000001; session=",
    );
    // pad the cookie up to 1500 bytes with base64-looking text
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut x = 12345u32;
    while s.len() < 1500 - 4 {
        x = x.wrapping_mul(1664525).wrapping_add(1013904223);
        s.push(alphabet[(x >> 26) as usize] as char);
    }
    s.push_str("\r\n\r\n");
    s.into_bytes()
}

pub fn ascii(n: usize) -> Vec<u8> {
    let s = b"{\"id\":4711,\"op\":\"update\",\"path\":\"/a/b/c\",\"value\":\"The quick brown fox jumps over the lazy dog\"},";
    s.iter().copied().cycle().take(n).collect()
}
/// Japanese text with little ASCII, cut at a character boundary and padded with ASCII to `n`.
pub fn japanese(n: usize) -> Vec<u8> {
    let s = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。";
    let mut v = Vec::with_capacity(n);
    for c in s.chars().cycle() {
        let mut b = [0; 4];
        let e = c.encode_utf8(&mut b).as_bytes();
        if v.len() + e.len() > n {
            break;
        }
        v.extend_from_slice(e);
    }
    v.resize(n, b'.');
    std::str::from_utf8(&v).unwrap();
    v
}
pub fn frame(op: u8, mask: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | op);
    let m = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        n @ 0..=125 => out.push(m | n as u8),
        n @ 126..=65535 => {
            out.push(m | 126);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(m | 127);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    if let Some(k) = mask {
        out.extend_from_slice(&k);
        out.extend(payload.iter().enumerate().map(|(i, b)| b ^ k[i & 3]));
    } else {
        out.extend_from_slice(payload);
    }
}
/// `n` masked text frames with different keys, and the length of one frame.
pub fn masked_text(payload: &[u8], n: usize) -> (Vec<u8>, usize) {
    let mut w = Vec::new();
    let mut x = 0x9E3779B9u32;
    for _ in 0..n {
        x = x.wrapping_mul(1664525).wrapping_add(1013904223);
        frame(1, Some(x.to_le_bytes()), payload, &mut w);
    }
    let one = w.len() / n;
    (w, one)
}
/// Splits frames: (first byte, masked, unmasked payload).
pub fn parse(mut w: &[u8]) -> Vec<(u8, bool, Vec<u8>)> {
    let mut r = Vec::new();
    while !w.is_empty() {
        let masked = w[1] & 0x80 != 0;
        let (len, mut o) = match w[1] & 0x7f {
            126 => (u16::from_be_bytes([w[2], w[3]]) as usize, 4),
            127 => (u64::from_be_bytes(w[2..10].try_into().unwrap()) as usize, 10),
            n => (n as usize, 2),
        };
        let key = if masked {
            o += 4;
            [w[o - 4], w[o - 3], w[o - 2], w[o - 1]]
        } else {
            [0; 4]
        };
        let p = w[o..o + len].iter().enumerate().map(|(i, b)| b ^ key[i & 3]).collect();
        r.push((w[0], masked, p));
        w = &w[o + len..];
    }
    r
}
/// Plain safe masking; rustc vectorises it for the baseline target.
#[inline]
pub fn mask_safe(buf: &mut [u8], key: [u8; 4]) {
    let k = u32::from_ne_bytes(key) as u64;
    let k = k | k << 32;
    let (c, rest) = buf.as_chunks_mut::<8>();
    for c in c {
        *c = (u64::from_ne_bytes(*c) ^ k).to_ne_bytes();
    }
    for (i, b) in rest.iter_mut().enumerate() {
        *b ^= key[i & 3];
    }
}
pub const UPGRADE_PLAIN: &[u8] = b"GET /chat HTTP/1.1\r\n\
Host: server.example.com\r\n\
Upgrade: websocket\r\n\
Connection: Upgrade\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Sec-WebSocket-Version: 13\r\n\r\n";

/// A server connection with its handshake done.
#[cfg(any(feature = "ws_recv", feature = "ws_send"))]
pub fn shiguredo_server() -> shiguredo_websocket::WebSocketServerConnection {
    let o = shiguredo_websocket::ServerConnectionOptions::new().max_frame_size(16 << 20).max_message_size(16 << 20);
    let mut c = shiguredo_websocket::WebSocketServerConnection::new(o);
    c.feed_recv_buf(UPGRADE_PLAIN).unwrap();
    c.accept_handshake_auto().unwrap();
    while c.poll_output().is_some() {}
    while c.poll_event().is_some() {}
    c
}

/// A response head of 200 bytes and five fields.
pub const RESPONSE_200: &[u8] = b"HTTP/1.1 200 OK\r\n\
Server: nginx/1.26\r\n\
Date: Sat, 21 Nov 2026 16:00:00 GMT\r\n\
Content-Type: application/json; charset=utf-8\r\n\
Content-Length: 1024\r\n\
Cache-Control: private, max-age=0, no-cache, no-store\r\n\r\n";

/// A response head of 1,000 bytes and 17 fields, as sites send them.
pub fn response_1000() -> Vec<u8> {
    let mut s = String::from(
        "HTTP/1.1 200 OK\r\n\
Date: Sat, 21 Nov 2026 16:00:00 GMT\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Content-Length: 1024\r\n\
Connection: keep-alive\r\n\
Server: nginx\r\n\
Cache-Control: max-age=0, private, must-revalidate\r\n\
ETag: W/\"b3f5a2c94d1e8f7a6b5c4d3e2f1a0b9c\"\r\n\
Last-Modified: Sat, 21 Nov 2026 15:12:45 GMT\r\n\
Vary: Accept-Encoding, Accept, X-Requested-With\r\n\
X-Content-Type-Options: nosniff\r\n\
X-Frame-Options: deny\r\n\
Referrer-Policy: origin-when-cross-origin, strict-origin-when-cross-origin\r\n\
Strict-Transport-Security: max-age=31536000; includeSubdomains; preload\r\n\
Content-Security-Policy: default-src 'none'; base-uri 'self'; connect-src 'self' api.example.com; img-src 'self' data:; script-src static.example.com\r\n\
X-Request-Id: 8A1C:1F2E3D:4B5A69:7C8D9E\r\n\
Alt-Svc: h3=\":443\"; ma=86400\r\n\
Set-Cookie: session=",
    );
    let end = "; path=/; secure; HttpOnly; SameSite=Lax\r\n\r\n";
    while s.len() < 1000 - end.len() {
        s.push(char::from(b'a' + (s.len() * 7 % 26) as u8));
    }
    s.push_str(end);
    s.into_bytes()
}

/// A 200 with nine fields and 1 KiB of JSON.
pub fn response_1kib() -> Vec<u8> {
    let mut v = b"HTTP/1.1 200 OK\r\n\
Date: Sat, 21 Nov 2026 16:00:00 GMT\r\n\
Content-Type: application/json; charset=utf-8\r\n\
Content-Length: 1024\r\n\
Connection: keep-alive\r\n\
Server: nginx/1.26.2\r\n\
Cache-Control: private, max-age=0\r\n\
ETag: W/\"400-b3f5a2c94d1e8f7a\"\r\n\
Vary: Accept-Encoding\r\n\
X-Request-Id: 0123456789abcdef\r\n\r\n"
        .to_vec();
    v.extend(ascii(1024));
    v
}
