//! The requests whose answers are to come, in the order sent.

use crate::http1::cycle::{Cycle, Side, State, Step};
use crate::http1::framing::Asked;

/// "A client that has more than one outstanding request on a connection MUST maintain a list of outstanding requests in
/// the order sent and MUST associate each received response message on that connection to the first outstanding request
/// that has not yet received a final (non-1xx) response" (RFC 9112 §9.2).
///
/// The exchange of the first one is in `cycle`. All but the newest are complete.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) cycle: Cycle,
    /// What their answers' length depends on.
    asked: [Asked; MAX as usize],
    first: u8,
    len: u8,
    /// The newest request is not complete.
    open: bool,
    /// No request may follow the newest before its final response has begun.
    alone: bool,
    /// The final response to the first request has begun.
    answering: bool,
    /// No request follows the newest.
    closing: bool,
}

/// The most requests that can wait: what Firefox allowed while it pipelined.
pub(super) const MAX: u8 = 8;

impl Pipeline {
    pub(super) const fn new() -> Self {
        Self {
            cycle: Cycle::new(),
            asked: [Asked::Other; MAX as usize],
            first: 0,
            len: 0,
            open: false,
            alone: false,
            answering: false,
            closing: false,
        }
    }

    /// How many requests there are.
    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    /// How many of them have not got their final response, nor its beginning.
    pub(super) fn unanswered(&self) -> usize {
        self.len() - usize::from(self.answering)
    }

    /// The request whose answer comes next.
    pub(super) fn first(&self) -> Option<Asked> {
        (self.len > 0).then(|| self.asked[self.place(0)])
    }

    /// Whether content of the newest request may be sent.
    pub(super) fn is_open(&self) -> bool {
        match self.len {
            0 => false,
            1 => self.cycle.client == State::Body,
            // "A client that receives a 'close' connection option MUST cease sending requests" (RFC 9112 §9.6).
            _ => self.open && self.cycle.keep_alive && matches!(self.cycle.client, State::Done),
        }
    }

    /// Whether the newest request keeps others from following: "A user agent SHOULD NOT pipeline requests after a
    /// non-idempotent method, until the final response status code for that method has been received" (RFC 9112
    /// §9.3.2), and what follows a request to leave HTTP may already be another protocol's.
    pub(super) fn is_blocked(&self) -> bool {
        self.unanswered() > 0 && self.alone
    }

    /// The head of a request was sent.
    pub(super) fn begin(&mut self, asked: Asked, alone: bool) {
        debug_assert!(self.len < MAX && !self.is_blocked() && !self.is_open() && !self.closing);
        if self.len == 0 {
            self.step(Side::Client, Step::Head);
        }
        self.asked[self.place(self.len)] = asked;
        self.len += 1;
        (self.open, self.alone) = (true, alone);
    }

    /// The newest request is complete.
    pub(super) fn end(&mut self) {
        self.open = false;
        if self.len == 1 {
            self.step(Side::Client, Step::End);
            if self.cycle.client == State::Idle {
                self.turn();
            }
        }
    }

    /// The final response to the first request has begun.
    pub(super) fn answer(&mut self) {
        self.step(Side::Server, Step::Head);
        self.answering = true;
    }

    /// It is complete, and the exchange with it, unless the request is not.
    pub(super) fn answered(&mut self) {
        self.step(Side::Server, Step::End);
        if self.cycle.client != State::Body {
            self.turn();
        }
    }

    /// Lets no request follow the newest.
    pub(super) fn close(&mut self) {
        self.closing = true;
        if self.len <= 1 {
            self.cycle.last_exchange();
        }
    }

    /// Takes a step that was looked at before anything was written or consumed.
    pub(super) fn step(&mut self, side: Side, step: Step) {
        let taken = self.cycle.step(side, step);
        debug_assert!(taken.is_ok(), "{side:?} {step:?} in {:?}", self.cycle);
    }

    /// The exchange is over: the next request is the first now, if it still counts.
    fn turn(&mut self) {
        self.first = (self.first + 1) % MAX;
        self.len -= 1;
        self.answering = false;
        if self.len > 0 && self.cycle.client == State::Idle {
            self.step(Side::Client, Step::Head);
            if self.len > 1 || !self.open {
                self.step(Side::Client, Step::End);
            }
        }
        if self.closing && self.len <= 1 {
            self.cycle.last_exchange();
        }
    }

    fn place(&self, nth: u8) -> usize {
        usize::from((self.first + nth) % MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    /// Every order of steps up to a length, beside a plain queue: answers go to requests in the order sent, and the
    /// exchange in `cycle` is always the first one's.
    #[test]
    fn agrees_with_a_plain_queue_in_every_order() {
        #[derive(Clone, Copy, Debug)]
        enum Do {
            Begin(Asked, bool),
            End,
            Answer,
            Answered,
            Close,
        }
        let moves = [
            Do::Begin(Asked::Head, false),
            Do::Begin(Asked::Other, true),
            Do::End,
            Do::Answer,
            Do::Answered,
            Do::Close,
        ];
        let mut orders: Vec<Vec<Do>> = std::vec![std::vec![]];
        for _ in 0..7 {
            orders = orders
                .into_iter()
                .flat_map(|order| moves.map(|next| order.iter().copied().chain([next]).collect::<Vec<_>>()))
                .collect();
        }
        for order in orders {
            let mut pipeline = Pipeline::new();
            // Each request: what it asked, whether it stands alone.
            let mut queue: VecDeque<(Asked, bool)> = VecDeque::new();
            let (mut open, mut answering, mut closing, mut over) = (false, false, false, false);
            for step in &order {
                let blocked = queue.back().is_some_and(|(_, alone)| *alone) && !(queue.len() == 1 && answering);
                match *step {
                    Do::Begin(asked, alone) if !open && !closing && !blocked => {
                        assert!(!pipeline.is_blocked() && !pipeline.is_open());
                        pipeline.begin(asked, alone);
                        queue.push_back((asked, alone));
                        open = true;
                    }
                    Do::End if open => {
                        pipeline.end();
                        open = false;
                        if queue.len() == 1 && answering && pipeline.cycle.client == State::Idle {
                            (answering, _) = (false, queue.pop_front());
                        }
                    }
                    Do::Answer if !queue.is_empty() && !answering => {
                        pipeline.answer();
                        answering = true;
                    }
                    Do::Answered if answering && pipeline.cycle.server == State::Body => {
                        let last = closing && queue.len() == 1;
                        pipeline.answered();
                        if last || queue.len() > 1 || !open {
                            (answering, _) = (false, queue.pop_front());
                        }
                        if last {
                            (over, open) = (true, false);
                        }
                    }
                    Do::Close => {
                        // A request that is answered and not complete is given up.
                        let given_up = pipeline.cycle.server == State::Done;
                        pipeline.close();
                        closing = true;
                        over |= queue.is_empty() || given_up;
                        open &= !given_up;
                    }
                    _ => continue,
                }
                assert_eq!(pipeline.len(), queue.len(), "{order:?}");
                assert_eq!(pipeline.first(), queue.front().map(|(asked, _)| *asked), "{order:?}");
                assert_eq!(pipeline.unanswered(), queue.len() - usize::from(answering), "{order:?}");
                assert_eq!(pipeline.is_open(), open, "{order:?}");
                assert_eq!(pipeline.cycle.client == State::MustClose, over, "{order:?}");
            }
        }
    }

    #[test]
    fn the_ring_is_as_long_as_it_says() {
        let mut pipeline = Pipeline::new();
        for round in 0..3 {
            for n in 0..MAX {
                assert_eq!(pipeline.len, n, "{round}");
                pipeline.begin(Asked::Other, false);
                pipeline.end();
            }
            for _ in 0..MAX {
                pipeline.answer();
                pipeline.answered();
            }
        }
        assert_eq!(pipeline.cycle, Cycle::new());
    }

    #[test]
    fn nothing_is_sent_behind_an_answer_that_says_close() {
        let mut pipeline = Pipeline::new();
        pipeline.begin(Asked::Other, false);
        pipeline.end();
        pipeline.begin(Asked::Other, false);
        assert!(pipeline.is_open());
        pipeline.answer();
        pipeline.cycle.last_exchange();
        assert!(!pipeline.is_open());
        pipeline.answered();
        assert_eq!((pipeline.unanswered(), pipeline.cycle.client), (1, State::MustClose));
    }
}
