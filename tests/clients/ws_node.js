// Echoes through the npm package `ws`.
//
// usage: ws_node.js FOLDER PORT     FOLDER holds node_modules
// Prints `PASS name` or `FAIL name: why` a line.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const [folder, port] = process.argv.slice(2);
const WebSocket = createRequire(path.join(folder, 'index.js'))('ws');

const url = `ws://127.0.0.1:${port}/node`;

function opened(options) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options);
    ws.once('open', () => resolve(ws));
    ws.once('error', reject);
  });
}

function within(promise, what) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} within 10 s`)), 10000).unref());
  return Promise.race([promise, late]);
}

const closed = (ws) => within(new Promise((resolve) => ws.once('close', (code, why) => resolve([code, String(why)]))), 'close');
const message = (ws) => within(new Promise((resolve) => ws.once('message', (data, binary) => resolve([data, binary]))), 'message');

function same(actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
  }
}

const checks = {
  async 'text and binary echo'() {
    const ws = await opened();
    for (const text of ['', 'hello', 'héllo 日本語 😀', 'x'.repeat(70000)]) {
      ws.send(text);
      const [data, binary] = await message(ws);
      same([String(data), binary], [text, false]);
    }
    ws.send(Buffer.alloc(100000, 7));
    const [data, binary] = await message(ws);
    same([data.equals(Buffer.alloc(100000, 7)), binary], [true, true]);
    ws.close(1000);
    same(await closed(ws), [1000, '']);
  },
  async 'compression, with context and without'() {
    const offers = [{}, { clientNoContextTakeover: true, serverNoContextTakeover: true }, { serverMaxWindowBits: 10 }];
    for (const offer of offers) {
      const ws = await opened({ perMessageDeflate: { threshold: 0, ...offer } });
      same(ws.extensions.startsWith('permessage-deflate'), true);
      for (const text of ['x'.repeat(100000), '{"id": 1, "name": "one"}'.repeat(500), '', '{"id": 2}'.repeat(500)]) {
        ws.send(text);
        same(String((await message(ws))[0]) === text, true);
      }
      ws.close(1000);
      await closed(ws);
    }
  },
  async 'fragmented message'() {
    const ws = await opened({ perMessageDeflate: false });
    ws.send('one ', { fin: false });
    ws.send('two ', { fin: false });
    ws.ping('between');
    ws.send('three', { fin: true });
    const pong = within(new Promise((resolve) => ws.once('pong', (data) => resolve(String(data)))), 'pong');
    same(String((await message(ws))[0]), 'one two three');
    same(await pong, 'between');
    ws.terminate();
  },
  async 'close handshake keeps the code and the reason'() {
    const ws = await opened();
    ws.close(3001, 'done');
    const [code] = await closed(ws);
    same(code, 3001);
  },
  async 'invalid UTF-8 is failed with 1007'() {
    const ws = await opened({ perMessageDeflate: false });
    ws.on('error', () => {});
    ws.send(Buffer.from([0xce, 0xba, 0xff]), { binary: false });
    same((await closed(ws))[0], 1007);
  },
  async '50 connections at once'() {
    await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      const ws = await opened();
      ws.send(`connection ${at}`);
      same(String((await message(ws))[0]), `connection ${at}`);
      ws.close();
      await closed(ws);
    }));
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`PASS ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`FAIL ${name}: ${error.message}`);
    }
  }
  process.exit();
})();
