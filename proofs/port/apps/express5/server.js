// An ordinary Express 5 server: nothing in it knows of restarts, signals or who runs it.
const fs = require('node:fs');
const { crc32 } = require('node:zlib');
const express = require('express');
const { WebSocketServer } = require('ws');

const { PORT = 3000, ACCESS_LOG } = process.env;
const app = express();

// Who came, and what was asked, each as it happens: what a crash leaves behind is complete.
const accessLog = ACCESS_LOG && fs.openSync(ACCESS_LOG, 'a');
const note = (what, port, id) => {
  if (!accessLog) return;
  const ms = Number(process.hrtime.bigint()) / 1e6;
  fs.writeSync(accessLog, `${what} ${process.pid} ${port} ${id} ${ms}\n`);
};

app.use((request, response, next) => {
  note('request', request.socket.remotePort, request.query.id ?? '-');
  next();
});

app.get('/health', (request, response) => response.send('fine'));

app.get('/pid', (request, response) => {
  const { id, ms = 0 } = request.query;
  const answer = () => response.json({ pid: process.pid, id });
  if (ms > 0) setTimeout(answer, ms);
  else answer();
});

app.post('/sum', express.raw({ limit: '1mb' }), (request, response) => {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  response.json({ pid: process.pid, id: request.query.id, bytes: body.length, crc32: crc32(body) });
});

app.get('/download', (request, response) => {
  const bytes = Number(request.query.bytes ?? 65536);
  const chunks = 8;
  const text = Buffer.alloc(bytes - 8, 'the quick brown fox jumps over the lazy dog. ');
  text.write(`pid ${process.pid} `);
  const sum = crc32(text).toString(16).padStart(8, '0');
  let sent = 0;
  const send = () => {
    const end = sent + Math.ceil(text.length / chunks);
    response.write(text.subarray(sent, end));
    sent = end;
    if (sent >= text.length) response.end(sum);
    else setTimeout(send, Number(request.query.ms ?? 0) / chunks);
  };
  send();
});

app.get('/events', (request, response) => {
  const { every = 200, lasts } = request.query;
  let n = 0;
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  const send = () => response.write(`data: ${JSON.stringify({ pid: process.pid, n: ++n })}\n\n`);
  const timer = setInterval(send, Number(every));
  if (lasts) setTimeout(() => response.end(), Number(lasts));
  response.on('close', () => clearInterval(timer));
  send();
});

app.get('/crash', (request) => {
  const { how = 'exit' } = request.query;
  setImmediate(() => {
    note('crash', request.socket.remotePort, how);
    if (how === 'exit') process.exit(1);
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    throw new Error('asked to crash');
  });
});

const server = app.listen(PORT, () => console.log(`listening on port ${PORT}`));
server.on('connection', (socket) => note('connection', socket.remotePort, '-'));

const sockets = new WebSocketServer({ server, path: '/echo' });
sockets.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data) => socket.send(JSON.stringify({ pid: process.pid, text: data.toString() })));
});
