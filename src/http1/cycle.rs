//! Whose turn it is (RFC 9112 §9.3, §9.6): the states of both sides of one connection and the steps
//! between them, as data. Nothing here knows which side it runs on; the server and the client share it.

/// Who sends requests, and who sends responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// How far one side has come with its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Nothing sent, nothing owed.
    Idle,
    /// A response is owed and its final head not sent. Servers only.
    Owing,
    /// The head is sent, content follows.
    Body,
    /// The message is complete, and the other side's is not yet.
    Done,
    /// No further message may follow.
    MustClose,
    /// This side has stopped sending.
    Closed,
    /// The connection speaks another protocol, or is a tunnel.
    Switched,
    /// A message could not be understood or completed; nothing that follows has a meaning.
    Failed,
}

/// One thing a side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An interim response (1xx, never 101).
    Interim,
    /// The head of a request, or of a final response.
    Head,
    /// A piece of content.
    Data,
    /// The end of the message.
    End,
    /// 101, or a 2xx to CONNECT: takes both sides along.
    Switch,
    /// The end of what this side sends.
    Close,
    /// A violation: takes both sides along.
    Fail,
}

/// Both sides, and whether another exchange may follow this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    pub(crate) client: State,
    pub(crate) server: State,
    /// Once false it stays so: either side said `close`, or the framing leaves no other way.
    pub(crate) keep_alive: bool,
}

/// The step is not possible in this state. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl Cycle {
    pub(crate) const fn new() -> Self {
        Self { client: State::Idle, server: State::Idle, keep_alive: true }
    }

    /// `side` does `step`, with what follows from it for the other side.
    #[inline]
    pub(crate) const fn step(&mut self, side: Side, step: Step) -> Result<(), Refused> {
        let state = match side {
            Side::Client => self.client,
            Side::Server => self.server,
        };
        let Some(state) = next(side, state, step) else { return Err(Refused) };
        match (side, step) {
            // "A client cannot begin using an upgraded protocol on the connection until it has completely sent the
            // request message" (RFC 9110 §7.8): all of it is there, or its rest would be read as the other protocol.
            (_, Step::Switch) if !matches!(self.client, State::Done) => return Err(Refused),
            (_, Step::Switch | Step::Fail) => (self.client, self.server) = (state, state),
            (Side::Client, Step::Head) if !matches!(self.server, State::Idle) => return Err(Refused),
            (Side::Client, Step::Head) => (self.client, self.server) = (state, State::Owing),
            (Side::Client, _) => self.client = state,
            (Side::Server, _) => self.server = state,
        }
        self.settle();
        Ok(())
    }

    /// No exchange follows the one under way. Between two exchanges that is the end.
    pub(crate) const fn last_exchange(&mut self) {
        self.keep_alive = false;
        self.settle();
    }

    /// The steps nobody takes: two complete messages make room for the next exchange, or for none.
    #[inline]
    const fn settle(&mut self) {
        match (self.client, self.server, self.keep_alive) {
            (State::Done, State::Done, true) => (self.client, self.server) = (State::Idle, State::Idle),
            // A response that is complete before its request leaves the rest of the request unread: "A server MUST
            // read the entire request message body or close the connection" (RFC 9112 §9.3).
            (_, State::Done, false) | (State::Idle, State::Idle, false) => {
                (self.client, self.server) = (State::MustClose, State::MustClose);
            }
            _ => {}
        }
    }
}

/// The table. What is not in it is refused.
#[inline]
const fn next(side: Side, state: State, step: Step) -> Option<State> {
    use {Side::*, State::*};
    Some(match (side, state, step) {
        (Client, Idle, Step::Head) => Body,
        (Client, Body, Step::Data) => Body,
        (Client, Body, Step::End) => Done,

        (Server, Owing, Step::Interim) => Owing,
        (Server, Owing, Step::Head) => Body,
        // The answer to a request whose head could not be read.
        (Server, Idle, Step::Head) => Body,
        (Server, Body, Step::Data) => Body,
        (Server, Body, Step::End) => Done,
        (Server, Owing, Step::Switch) => Switched,

        (_, Idle | Done | MustClose | Closed, Step::Close) => Closed,
        (_, Switched, Step::Fail) => return None,
        (_, _, Step::Fail) => Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    const SIDES: [Side; 2] = [Side::Client, Side::Server];
    const STATES: [State; 8] = [
        State::Idle,
        State::Owing,
        State::Body,
        State::Done,
        State::MustClose,
        State::Closed,
        State::Switched,
        State::Failed,
    ];
    const STEPS: [Step; 7] = [Step::Interim, Step::Head, Step::Data, Step::End, Step::Switch, Step::Close, Step::Fail];

    /// Every pair of side and state with every step, written down a second time as rows.
    #[test]
    fn every_state_and_step_of_each_side() {
        use State::*;
        type Row = [Option<State>; 7];
        // Interim, Head, Data, End, Switch, Close, Fail
        let client: [(State, Row); 8] = [
            (Idle, [None, Some(Body), None, None, None, Some(Closed), Some(Failed)]),
            (Owing, [None, None, None, None, None, None, Some(Failed)]),
            (Body, [None, None, Some(Body), Some(Done), None, None, Some(Failed)]),
            (Done, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (MustClose, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (Closed, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (Switched, [None, None, None, None, None, None, None]),
            (Failed, [None, None, None, None, None, None, Some(Failed)]),
        ];
        let server: [(State, Row); 8] = [
            (Idle, [None, Some(Body), None, None, None, Some(Closed), Some(Failed)]),
            (Owing, [Some(Owing), Some(Body), None, None, Some(Switched), None, Some(Failed)]),
            (Body, [None, None, Some(Body), Some(Done), None, None, Some(Failed)]),
            (Done, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (MustClose, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (Closed, [None, None, None, None, None, Some(Closed), Some(Failed)]),
            (Switched, [None, None, None, None, None, None, None]),
            (Failed, [None, None, None, None, None, None, Some(Failed)]),
        ];
        for (side, rows) in SIDES.into_iter().zip([client, server]) {
            for (state, row) in rows {
                for (step, want) in STEPS.into_iter().zip(row) {
                    assert_eq!(next(side, state, step), want, "{side:?} {state:?} {step:?}");
                }
            }
        }
    }

    /// Every pair of states there is, reached or not, with every step: a refusal changes nothing, and
    /// what follows keeps the rules that tie the two sides together.
    #[test]
    fn every_pair_of_states_and_step() {
        for client in STATES {
            for server in STATES {
                for keep_alive in [true, false] {
                    for side in SIDES {
                        for step in STEPS {
                            let before = Cycle { client, server, keep_alive };
                            let mut after = before;
                            match after.step(side, step) {
                                Err(Refused) => assert_eq!(after, before, "{side:?} {step:?}"),
                                Ok(()) => follows_from(before, side, step, after),
                            }
                        }
                    }
                }
            }
        }
    }

    fn follows_from(before: Cycle, side: Side, step: Step, after: Cycle) {
        assert_eq!(after.keep_alive, before.keep_alive);
        assert_ne!(
            (after.client, after.server),
            (State::Done, State::Done),
            "two complete messages settle: {before:?} {side:?} {step:?}"
        );
        assert!(after.server != State::Done || after.keep_alive, "a last response closes: {before:?} {step:?}");
        if step == Step::Switch || step == Step::Fail {
            assert_eq!(after.client, after.server, "{before:?} {side:?} {step:?}");
        }
        if step == Step::Switch {
            assert_eq!((before.client, before.server), (State::Done, State::Owing));
        }
        if (side, step) == (Side::Client, Step::Head) {
            assert_eq!((before.server, after.server), (State::Idle, State::Owing), "one exchange at a time");
        }
    }

    /// The pairs a connection can get into, and from each a way to an end.
    #[test]
    fn every_reachable_pair_can_end() {
        let ends = |c: &Cycle| {
            matches!(c.client, State::MustClose | State::Closed | State::Switched | State::Failed)
                || matches!(c.server, State::MustClose | State::Closed | State::Switched | State::Failed)
        };
        let mut seen = BTreeSet::new();
        let mut open: Vec<Cycle> = [true, false].map(|keep_alive| Cycle { keep_alive, ..Cycle::new() }).to_vec();
        while let Some(cycle) = open.pop() {
            if !seen.insert((cycle.client as u8, cycle.server as u8, cycle.keep_alive)) {
                continue;
            }
            let next: Vec<Cycle> = SIDES
                .into_iter()
                .flat_map(|side| STEPS.map(|step| (side, step)))
                .filter_map(|(side, step)| {
                    let mut next = cycle;
                    next.step(side, step).ok().map(|()| next)
                })
                .chain({
                    let mut last = cycle;
                    last.last_exchange();
                    [last]
                })
                .collect();
            assert!(ends(&cycle) || next.iter().any(|next| *next != cycle), "stuck in {cycle:?}");
            open.extend(next);
        }
        assert!(!seen.contains(&(State::Done as u8, State::Done as u8, true)));
        assert!(seen.len() < 60, "{} pairs", seen.len());
    }

    #[test]
    fn one_exchange_after_the_other() {
        let mut cycle = Cycle::new();
        for last in [false, true] {
            cycle.step(Side::Client, Step::Head).unwrap();
            assert_eq!(cycle.step(Side::Client, Step::Head), Err(Refused));
            cycle.step(Side::Client, Step::End).unwrap();
            cycle.step(Side::Server, Step::Interim).unwrap();
            cycle.step(Side::Server, Step::Head).unwrap();
            assert_eq!(cycle.step(Side::Server, Step::Switch), Err(Refused));
            if last {
                cycle.last_exchange();
            }
            cycle.step(Side::Server, Step::End).unwrap();
            let end = if last { State::MustClose } else { State::Idle };
            assert_eq!((cycle.client, cycle.server), (end, end));
        }
        assert_eq!(cycle.step(Side::Client, Step::Head), Err(Refused));
    }
}
