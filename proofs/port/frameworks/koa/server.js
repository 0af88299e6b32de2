import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import Koa from 'koa';
import { download } from './download.js';

const routes = {
  'GET /pid': async (ctx) => {
    await wait(Number(ctx.query.ms ?? 0));
    ctx.body = { pid: process.pid, id: ctx.query.id };
  },
  'POST /sum': async (ctx) => {
    const body = await buffer(ctx.req);
    ctx.body = { pid: process.pid, id: ctx.query.id, bytes: body.length, crc32: crc32(body) };
  },
  'GET /download': async (ctx) => {
    ctx.type = 'text';
    ctx.body = Readable.from(download(ctx.query), { objectMode: false });
  },
};

const app = new Koa();
app.use(async (ctx) => routes[`${ctx.method} ${ctx.path}`]?.(ctx));
app.listen(process.env.PORT ?? 3000);
