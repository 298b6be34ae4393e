// A server for clients to be tested against, with the npm package `ws`.
//
// usage: ws_node_server.js FOLDER     FOLDER holds node_modules
// Prints `listening on 127.0.0.1:PORT` and serves until it is killed. /refused answers 401; /close closes with 4000;
// /ping sends a ping and says when its pong came; /fragments sends a text in pieces; /broken sends what is no frame;
// other paths echo.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const [folder] = process.argv.slice(2);
const { WebSocketServer } = createRequire(path.join(folder, 'index.js'))('ws');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (names) => ['chat.v2', 'chat'].find((name) => names.has(name)) ?? false,
  verifyClient: ({ req }, done) => {
    if (req.url === '/refused') done(false, 401, 'who are you?\n');
    else if (req.url === '/key' && req.headers['x-key'] !== 'secret') done(false, 403, 'no key\n');
    else done(true);
  },
});

server.on('connection', (ws, request) => {
  ws.on('message', (data, binary) => ws.send(data, { binary }));
  ws.on('error', () => {});
  if (request.url === '/close') {
    ws.close(4000, 'enough');
  } else if (request.url === '/ping') {
    ws.once('pong', (data) => ws.send(String(data) === 'are you there' ? 'ponged' : 'wrong pong'));
    ws.ping('are you there');
  } else if (request.url === '/fragments') {
    ws.send('one ', { fin: false });
    ws.send('', { fin: false });
    ws.send('two 日本語', { fin: true });
  } else if (request.url === '/broken') {
    ws._socket.write(Buffer.from([0x83, 0x00]));
  }
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
