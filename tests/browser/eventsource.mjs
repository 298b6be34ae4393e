// Chromium's own EventSource reads the streams of the vectors from examples/live, and comes back with the ids they leave.
// usage: STREAMS=cases.json LOG=FILE node eventsource.mjs URL CHROMIUM
import { readFileSync } from 'node:fs';
import { check, launch, until } from './chromium.mjs';

const [, , url, executablePath] = process.argv;
const cases = JSON.parse(readFileSync(process.env.STREAMS, 'utf8'));
const types = [...new Set(['message', ...cases.flatMap(({ events }) => events.map(({ type }) => type))])];
// Longer than that nobody waits for a reader to come back.
const PATIENT = 4000;

// The ids that readers of a case came back with, as the server saw them: bytes.
function ids(name) {
  const lines = readFileSync(process.env.LOG, 'utf8').split('\n').filter((line) => line.startsWith(`stream ${name} `));
  const unescape = (text) => text.replace(/\\(x[0-9a-f]{2}|.)/g, (_, it) => ({ t: '\t', n: '\n', r: '\r' })[it] ?? (it.length === 3 ? String.fromCharCode(parseInt(it.slice(1), 16)) : it));
  return lines.map((line) => line.slice(`stream ${name} `.length)).map((it) => (it === 'from the start' ? null : Buffer.from(unescape(it.slice('after '.length)), 'latin1').toString()));
}

// Reads a stream up to its end (of one with a seed, the second) and tells its events.
const read = ({ name, seed, types }) => new Promise((done) => {
  const source = new EventSource(`/streams/${name}`);
  (window.sources ??= new Map()).set(name, source);
  const events = [];
  const take = (e) => e instanceof MessageEvent && events.push({ type: e.type, data: e.data, id: e.lastEventId });
  for (const type of types) source.addEventListener(type, take);
  let ends = seed ? 2 : 1;
  source.addEventListener('error', (e) => { if (!(e instanceof MessageEvent) && --ends === 0) done({ events: [...events], state: source.readyState }); });
});

const browser = await launch(executablePath);
try {
  const page = await browser.newPage();
  await page.goto(`${url}stats`);
  const wrong = { events: [], ids: [] };
  let events = 0, sent = 0;
  const rest = [...cases];
  // As many at a time as Chromium has connections for.
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let it; (it = rest.shift());) {
      const told = await page.evaluate(read, { name: it.name, seed: it.seed, types });
      if (JSON.stringify(told.events) !== JSON.stringify(it.events) || told.state !== 0) wrong.events.push(`${it.id}: ${JSON.stringify(told)}`);
      events += told.events.length;
    }
  }));
  // The reconnection time is Chromium's 3 s, or the stream's.
  for (const it of cases) {
    if ((it.retry ?? 0) > PATIENT) continue;
    const streams = it.seed ? 2 : 1;
    await until(() => ids(it.name).length > streams, 2 * PATIENT);
    await page.evaluate((name) => sources.get(name).close(), it.name);
    // White space at the ends of a field's value is not part of it (RFC 9110 5.5).
    const expected = it.last_event_id.replace(/^[ \t]+|[ \t]+$/g, '') || null;
    const id = ids(it.name)[streams];
    sent += id !== null && id !== undefined;
    if (id !== expected) wrong.ids.push(`${it.id}: ${JSON.stringify(id)}`);
  }
  const waits = cases.filter(({ retry }) => retry > PATIENT).length;
  check('Chromium\'s EventSource gives the events of every vector', wrong.events.length === 0, wrong.events.join('; ') || `${cases.length} streams, ${events} events`);
  check('and comes back with the ids they leave', wrong.ids.length === 0, wrong.ids.join('; ') || `${sent} ids sent, ${cases.length - waits - sent} without one, ${waits} told to stay away`);
} finally {
  await browser.close();
}
