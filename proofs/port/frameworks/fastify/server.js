import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import Fastify from 'fastify';
import { download } from './download.js';

const app = Fastify({ bodyLimit: 1_048_576 });
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, async (request, body) => body);

app.get('/pid', async ({ query }) => {
  await wait(Number(query.ms ?? 0));
  return { pid: process.pid, id: query.id };
});

app.post('/sum', async ({ query, body = Buffer.alloc(0) }) => ({
  pid: process.pid,
  id: query.id,
  bytes: body.length,
  crc32: crc32(body),
}));

app.get('/download', async ({ query }, reply) =>
  reply.type('text/plain').send(Readable.from(download(query), { objectMode: false })),
);

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '::' });
