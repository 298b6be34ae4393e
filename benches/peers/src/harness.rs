//! Measuring: interleaved samples, medians, ratios; allocation counts in a pass of their own.
//!
//! All peers of one case are sampled round-robin, so that a slow period of the machine hits every one of them
//! alike. Names that start with `@` are references (a copy, the simplest safe code), not peers.
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// One case; everyone added to it does the same work.
pub struct Group {
    area: &'static str,
    case: String,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    /// For hopwire: the suffix of the case in which this entry is the one compared with.
    ours: Option<&'static str>,
    ops: f64,
    run: Box<dyn FnMut(u64)>,
    iters: u64,
    ns: Vec<f64>,
}

impl Group {
    pub fn new(area: &'static str, case: impl Into<String>) -> Self {
        Self { area, case: case.into(), entries: Vec::new() }
    }

    pub fn wanted(&self) -> bool {
        self.case.contains(&opts().case)
    }

    /// A peer, or a reference (`@`). `ops` is how many operations one call of `f` does.
    pub fn add(&mut self, name: &str, ops: usize, f: impl FnMut() + 'static) {
        if self.wanted() && name.contains(opts().peer.as_str()) {
            self.push(name, None, ops, f);
        }
    }

    /// hopwire. With more than one way through it, `variant` names each ("" the first): every variant gets
    /// lines of its own, `case` or `case_variant`, with the ratios of all peers against that variant.
    pub fn add_hopwire(&mut self, variant: &'static str, ops: usize, f: impl FnMut() + 'static) {
        if self.wanted() {
            self.push("hopwire", Some(variant), ops, f);
        }
    }

    fn push(&mut self, name: &str, ours: Option<&'static str>, ops: usize, mut f: impl FnMut() + 'static) {
        let run = Box::new(move |n| (0..n).for_each(|_| f()));
        self.entries.push(Entry { name: name.into(), ours, ops: ops as f64, run, iters: 1, ns: Vec::new() });
    }

    pub fn run(mut self) {
        let sample = opts().sample_ms / 1e3;
        for e in &mut self.entries {
            e.calibrate(sample);
        }
        for _ in 0..opts().samples {
            for e in &mut self.entries {
                let took = timed(|| (e.run)(e.iters));
                e.ns.push(took * 1e9 / (e.iters as f64 * e.ops));
            }
        }
        let lines: Vec<Line> = self.entries.iter_mut().map(Entry::line).collect();
        let mut variants: Vec<&Line> = lines.iter().filter(|l| l.ours.is_some()).collect();
        variants.sort_by_key(|l| l.ours);
        for ours in variants {
            let case = match ours.ours {
                Some("") | None => self.case.clone(),
                Some(variant) => format!("{}_{variant}", self.case),
            };
            // What prints as 0.00 is none: one for a message that goes to thousands of connections, say.
            if ours.allocs >= 0.005 {
                ALLOCATED.store(true, Relaxed);
            }
            for l in std::iter::once(ours).chain(lines.iter().filter(|l| l.ours.is_none())) {
                print_line(self.area, &case, &l.name, l.median, l.median / ours.median, l.allocs);
            }
        }
    }
}

impl Entry {
    /// Finds how many calls fill one sample.
    fn calibrate(&mut self, sample: f64) {
        let mut n = 1;
        let per = loop {
            let took = timed(|| (self.run)(n));
            if took > sample / 4.0 {
                break took / n as f64;
            }
            n *= 2;
        };
        // Once more: the first estimate still holds the warm-up.
        let n = ((sample / per).ceil() as u64).max(1);
        let per = timed(|| (self.run)(n)) / n as f64;
        self.iters = ((sample / per).ceil() as u64).max(1);
    }

    /// The median, and the allocations per operation, counted here and never while timing.
    fn line(&mut self) -> Line {
        let n = (self.iters / 4).max(2);
        let ((), heap) = counted(|| (self.run)(n));
        self.ns.sort_by(f64::total_cmp);
        let median = self.ns[self.ns.len() / 2];
        let allocs = heap.calls as f64 / (n as f64 * self.ops);
        Line { name: self.name.clone(), ours: self.ours, median, allocs }
    }
}

struct Line {
    name: String,
    ours: Option<&'static str>,
    median: f64,
    allocs: f64,
}

/// One line of output. For memory the fourth column is bytes and the sixth is blocks on the heap.
pub fn print_line(area: &str, case: &str, name: &str, value: f64, ratio: f64, allocs: f64) {
    println!("{area} {case} {name} {value:.2} {ratio:.2} {allocs:.2}");
}

static ALLOCATED: AtomicBool = AtomicBool::new(false);

/// Failure if hopwire allocated in any measured case: that is a promise, not a figure.
pub fn verdict() -> ExitCode {
    if ALLOCATED.load(Relaxed) {
        eprintln!("hopwire allocated in a measured case");
        return 1.into();
    }
    ExitCode::SUCCESS
}

struct Opts {
    samples: usize,
    sample_ms: f64,
    /// Substrings; empty takes all.
    case: String,
    peer: String,
}

fn opts() -> &'static Opts {
    static OPTS: OnceLock<Opts> = OnceLock::new();
    OPTS.get_or_init(|| {
        let env = |k: &str| std::env::var(k).ok();
        Opts {
            samples: env("SAMPLES").and_then(|v| v.parse().ok()).unwrap_or(15),
            sample_ms: env("MS").and_then(|v| v.parse().ok()).unwrap_or(20.0),
            case: std::env::args().nth(2).unwrap_or_default(),
            peer: std::env::args().nth(3).unwrap_or_default(),
        }
    })
}

fn timed(f: impl FnOnce()) -> f64 {
    let start = cpu_seconds();
    f();
    cpu_seconds() - start
}

/// This thread's CPU time, so that a sample is not slow for having been preempted.
fn cpu_seconds() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// The system's allocator, counting while told to.
pub struct Counting;
static ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);

fn count(calls: u64, bytes: i64, blocks: i64) {
    if ON.load(Relaxed) {
        CALLS.fetch_add(calls, Relaxed);
        LIVE.fetch_add(bytes, Relaxed);
        BLOCKS.fetch_add(blocks, Relaxed);
    }
}

// SAFETY: every call goes to `System` unchanged. Counting is off while timing, and then costs one predicted branch.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        count(1, l.size() as i64, 1);
        unsafe { System.alloc(l) }
    }
    unsafe fn alloc_zeroed(&self, l: Layout) -> *mut u8 {
        count(1, l.size() as i64, 1);
        unsafe { System.alloc_zeroed(l) }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) {
        count(0, -(l.size() as i64), -1);
        unsafe { System.dealloc(p, l) }
    }
    unsafe fn realloc(&self, p: *mut u8, l: Layout, n: usize) -> *mut u8 {
        count(1, n as i64 - l.size() as i64, 0);
        unsafe { System.realloc(p, l, n) }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// Calls that allocate or grow.
    pub calls: u64,
    /// Bytes still held at the end.
    pub live: i64,
    /// Blocks still held at the end.
    pub blocks: i64,
}

/// Runs `f` with allocation counting on (do not nest).
pub fn counted<T>(f: impl FnOnce() -> T) -> (T, Heap) {
    CALLS.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    BLOCKS.store(0, Relaxed);
    ON.store(true, Relaxed);
    let t = f();
    ON.store(false, Relaxed);
    (t, Heap { calls: CALLS.load(Relaxed), live: LIVE.load(Relaxed), blocks: BLOCKS.load(Relaxed) })
}

/// Polls a future that must be ready at once (in-memory I/O never waits).
pub fn now<F: Future>(f: F) -> F::Output {
    let f = std::pin::pin!(f);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match f.poll(&mut cx) {
        std::task::Poll::Ready(v) => v,
        std::task::Poll::Pending => panic!("in-memory future was pending"),
    }
}

pub fn leak(v: Vec<u8>) -> &'static [u8] {
    Box::leak(v.into_boxed_slice())
}

/// What reading `wire` costs: a copy of it into `inbox`, as much at a time as fits.
pub fn copy(wire: &[u8], inbox: &mut [u8]) {
    for read in wire.chunks(inbox.len()) {
        inbox[..read.len()].copy_from_slice(read);
        std::hint::black_box(inbox.as_ptr());
    }
}
