import express from 'express';
import { pipeline } from 'node:stream';
import { crc32 } from 'node:zlib';
import { download } from './download.js';

const app = express();
const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

app.get('/pid', async (request, response) => {
  await wait(request.query.ms);
  response.json({ pid: process.pid, id: request.query.id });
});

app.post('/sum', express.raw({ limit: '1mb' }), (request, response) => {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  response.json({ pid: process.pid, id: request.query.id, bytes: body.length, crc32: crc32(body) });
});

app.get('/download', (request, response) => {
  pipeline(download(request.query), response.type('text'), () => undefined);
});

app.listen(process.env.PORT ?? 3000);
