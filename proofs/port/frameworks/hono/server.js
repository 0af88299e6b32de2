import { crc32 } from 'node:zlib';
import { setTimeout as wait } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { download } from './download.js';

const app = new Hono();

app.get('/pid', async (c) => {
  await wait(Number(c.req.query('ms') ?? 0));
  return c.json({ pid: process.pid, id: c.req.query('id') });
});

app.post('/sum', async (c) => {
  const body = Buffer.from(await c.req.arrayBuffer());
  return c.json({ pid: process.pid, id: c.req.query('id'), bytes: body.length, crc32: crc32(body) });
});

app.get('/download', (c) =>
  stream(c, async (output) => {
    for await (const chunk of download(c.req.query())) await output.write(chunk);
  }),
);

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
