// Plain Node.js: node:http on PORT and, with a certificate, HTTP/2 over TLS on TLS_PORT, both with the same answers.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { crc32 } from 'node:zlib';

const { PORT = 3000, TLS_PORT, TLS_KEY, TLS_CERT } = process.env;

function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const route = routes[pathname];
  if (route) return route(request, response, Object.fromEntries(searchParams));
  response.writeHead(404).end();
}

const routes = {
  '/health': (request, response) => response.end('fine'),

  '/pid': (request, response, { id, ms = 0 }) => {
    const send = () => response.end(JSON.stringify({ pid: process.pid, id }));
    if (ms > 0) setTimeout(send, ms);
    else send();
  },

  '/sum': async (request, response, { id }) => {
    let bytes = 0;
    let sum = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      sum = crc32(chunk, sum);
    }
    response.end(JSON.stringify({ pid: process.pid, id, bytes, crc32: sum }));
  },

  '/download': (request, response, { bytes = 65536, ms = 0 }) => {
    const text = Buffer.alloc(bytes - 8, 'the quick brown fox jumps over the lazy dog. ');
    text.write(`pid ${process.pid} `);
    const chunks = 8;
    let sent = 0;
    const send = () => {
      const end = sent + Math.ceil(text.length / chunks);
      response.write(text.subarray(sent, end));
      sent = end;
      if (sent >= text.length) response.end(crc32(text).toString(16).padStart(8, '0'));
      else setTimeout(send, ms / chunks);
    };
    send();
  },

  '/events': (request, response, { every = 200, lasts }) => {
    let n = 0;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const send = () => response.write(`data: ${JSON.stringify({ pid: process.pid, n: ++n })}\n\n`);
    const timer = setInterval(send, Number(every));
    if (lasts) setTimeout(() => response.end(), Number(lasts));
    response.on('close', () => clearInterval(timer));
    send();
  },

  '/crash': (request, response, { how = 'exit' }) => {
    if (how === 'exit') process.exit(1);
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    setImmediate(() => {
      throw new Error('asked to crash');
    });
  },
};

// The smallest WebSocket server there can be: short text frames, each given back.
function upgrade(request, socket) {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let unread = Buffer.alloc(0);
  socket.on('data', (data) => {
    unread = Buffer.concat([unread, data]);
    while (unread.length >= 6 && unread.length >= 6 + (unread[1] & 0x7f)) {
      const length = unread[1] & 0x7f;
      const opcode = unread[0] & 0x0f;
      const mask = unread.subarray(2, 6);
      const payload = unread.subarray(6, 6 + length).map((byte, index) => byte ^ mask[index % 4]);
      unread = unread.subarray(6 + length);
      const text = JSON.stringify({ pid: process.pid, text: payload.toString() });
      if (opcode === 1) socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
      if (opcode === 8) socket.end(Buffer.concat([Buffer.from([0x88, length]), payload]));
    }
  });
  socket.on('error', () => socket.destroy());
}
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

createServer(answer)
  .on('upgrade', upgrade)
  .listen(PORT, () => console.log(`http on port ${PORT}`));

if (TLS_PORT) {
  const options = { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT), allowHTTP1: true };
  createSecureServer(options, answer).listen(TLS_PORT, () => console.log(`https on port ${TLS_PORT}`));
}
