//! In-memory stream for peers that insist on owning one.
//!
//! Reading copies from an endless repetition of `wire` into the peer's buffer (what the kernel
//! would do); `unit` caps one read at the end of the current unit of that many bytes ("one
//! message per feed"), 0 = no cap. Writing either only counts (`Null`: the library's own work
//! is all that is measured), copies (`Copy`: as the kernel would), or collects (`Collect`).
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub enum Sink {
    Null,
    Copy(Box<[u8]>),
    Collect(Vec<u8>),
}

pub struct MemIo {
    wire: &'static [u8],
    pos: usize,
    /// where the current read ends at the latest
    end: usize,
    unit: usize,
    /// stop (WouldBlock / Pending) at the end of the wire instead of starting again
    pub once: bool,
    pub sink: Sink,
    pub written: u64,
}

impl MemIo {
    pub fn new(wire: &'static [u8], unit: usize, sink: Sink) -> Self {
        MemIo { wire, pos: 0, end: 0, unit: if unit == 0 { wire.len() } else { unit }, once: false, sink, written: 0 }
    }
    pub fn once(wire: &'static [u8], sink: Sink) -> Self {
        MemIo { once: true, ..Self::new(wire, 0, sink) }
    }
    /// `once`, with a read ending after `first` bytes, which must be at least half.
    pub fn once_split(wire: &'static [u8], first: usize, sink: Sink) -> Self {
        assert!(first * 2 >= wire.len());
        MemIo { unit: first, ..Self::once(wire, sink) }
    }
    pub fn rewind(&mut self) {
        (self.pos, self.end) = (0, 0);
    }
    #[inline]
    fn avail(&mut self) -> Option<&'static [u8]> {
        if self.pos == self.wire.len() {
            if self.once {
                return None;
            }
            self.rewind();
        }
        if self.pos == self.end {
            self.end = (self.end + self.unit).min(self.wire.len());
        }
        Some(&self.wire[self.pos..self.end])
    }
    #[inline]
    fn take(&mut self, out: &mut [u8]) -> Option<usize> {
        let a = self.avail()?;
        let n = a.len().min(out.len());
        out[..n].copy_from_slice(&a[..n]);
        self.pos += n;
        Some(n)
    }
    #[inline]
    fn put(&mut self, b: &[u8]) -> usize {
        let n = match &mut self.sink {
            Sink::Null => {
                std::hint::black_box(b.as_ptr());
                b.len()
            }
            Sink::Copy(o) => {
                let n = b.len().min(o.len());
                o[..n].copy_from_slice(&b[..n]);
                std::hint::black_box(o.as_ptr());
                n
            }
            Sink::Collect(v) => {
                v.extend_from_slice(b);
                b.len()
            }
        };
        self.written += n as u64;
        n
    }
}

impl Read for MemIo {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.take(out).ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }
}
impl Write for MemIo {
    #[inline]
    fn write(&mut self, b: &[u8]) -> io::Result<usize> {
        Ok(self.put(b))
    }
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(bufs.iter().map(|b| self.put(b)).sum())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl AsyncRead for MemIo {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(a) = self.avail() else { return Poll::Pending };
        let n = a.len().min(buf.remaining());
        buf.put_slice(&a[..n]);
        self.pos += n;
        Poll::Ready(Ok(()))
    }
}
impl AsyncWrite for MemIo {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.put(b)))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bufs.iter().map(|b| self.put(b)).sum()))
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
}
impl hyper::rt::Read for MemIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(a) = self.avail() else { return Poll::Pending };
        let n = a.len().min(buf.remaining());
        buf.put_slice(&a[..n]);
        self.pos += n;
        Poll::Ready(Ok(()))
    }
}
impl hyper::rt::Write for MemIo {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.put(b)))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bufs.iter().map(|b| self.put(b)).sum()))
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
}
