// The same stream from Node's own http server. usage: node server.mjs READERS UPDATES A_SECOND GATHER
// With GATHER 0 an update is written when it comes, the plain way; else up to so many milliseconds later, with others.
import { createServer } from 'node:http';

const [readers, updates, aSecond, gather] = process.argv.slice(2).map(Number);
const data = (n) => {
  const json = `{"id":${n},"symbol":"EXMPL","price":101.25,"volume":1200,"note":"`;
  return `${json}${'x'.repeat(98 - json.length)}"}`;
};
const open = new Set();
let published = 0;
const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  open.add(response);
  request.on('close', () => open.delete(response));
  if (open.size === readers) begin();
});
function begin() {
  const began = performance.now();
  const timer = setInterval(() => {
    const events = [];
    while (published < updates && began + (published * 1000) / aSecond <= performance.now()) {
      published++;
      events.push(`id: 1.${published}\ndata: ${data(published)}\n\n`);
    }
    // What is written in one turn of its loop, Node sends in one system call; each write is a chunk.
    for (const response of open) for (const event of events) response.write(event);
    if (published === updates) {
      clearInterval(timer);
      for (const response of open) response.end();
    }
  }, gather || 1000 / aSecond);
}
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
