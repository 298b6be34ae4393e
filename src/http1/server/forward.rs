//! Answers that came from an upstream.

use super::{Server, Step};
use crate::http::forward::Response;
use crate::http::{Status, Version};
use crate::http1::emit::{Length, Persistence};
use crate::http1::misuse::Misuse;
use crate::io::{SendError, Tx};

impl Server {
    /// Sends what [`Intermediary::response`](crate::http::forward::Intermediary::response) made of an upstream's response: an
    /// interim one as by [`inform`](Self::inform), 101 as by [`switch_protocols`](Self::switch_protocols), the head of a final one
    /// as by [`respond`](Self::respond), framed anew. Content follows by [`body`](Self::body), and its end by [`end`](Self::end)
    /// unless [`Response::content`] is `None`.
    ///
    /// # Errors
    /// See [`respond`](Self::respond).
    pub fn forward(&mut self, response: &Response<'_>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.owing()?;
        let status = response.status();
        if status == Status::SWITCHING_PROTOCOLS {
            self.can_switch()?;
            response.write(Persistence::Unsaid, Length::Unsaid, tx)?;
            self.switch();
            return Ok(());
        }
        if status.is_informational() {
            if self.version >= Version::Http11 {
                response.write(Persistence::Unsaid, Length::Unsaid, tx)?;
                self.expects_continue &= status != Status::CONTINUE;
            }
            self.advance(Step::Interim);
            return Ok(());
        }
        // "A proxy server MUST NOT maintain a persistent connection with an HTTP/1.0 client" (RFC 9112 §9.3).
        let closes = self.version < Version::Http11;
        let plan = self.plan(status, response.content().into(), closes)?;
        response.write(self.persistence(&plan), plan.length, tx)?;
        self.begun(&plan);
        Ok(())
    }
}
