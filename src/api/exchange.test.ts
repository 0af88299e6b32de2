import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ROUTES, type UpkeepEvent } from '../protocol/index.js';
import { EventStore } from '../store/index.js';
import { Exchange } from './exchange.js';
import { eventRoutes } from './routes/events.js';

let folder = '';
let server: Server;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-api-'));
  server = createServer().listen(join(folder, 'socket'));
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test('a stream for a client that has left before it begins is closed, later and once', async () => {
  const request = ask();
  const [incoming, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  request.destroy();
  await once(response, 'close');
  let closed = 0;
  new Exchange(incoming, response, matched('')).stream(() => closed++);
  assert.equal(closed, 0, 'whoever begins it has to be able to take the answer first');
  await new Promise(setImmediate);
  assert.equal(closed, 1);
});

test('who follows events without reading costs next to nothing, and then gets what is still known', async () => {
  const store = new EventStore(folder, () => new Date());
  const request = ask();
  const [incoming, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  void eventRoutes(store).events(new Exchange(incoming, response, matched('follow=1')));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const count = 20_000;
  let most = 0;
  for (let seq = 1; seq <= count; seq++) {
    store.emit({ type: 'warning', service: null, message: `${seq} ${'x'.repeat(1000)}` });
    most = Math.max(most, response.writableLength);
    if (seq % 100 === 0) await new Promise(setImmediate); // what is written goes out
  }
  assert.ok(most < 1024 * 1024, `${most} bytes wait for who does not read`);
  const seqs: number[] = [];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    const blocks = (text + String(chunk)).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) seqs.push((JSON.parse(block.slice('data: '.length)) as UpkeepEvent).seq);
    if (seqs.at(-1) === count) break;
  }
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
    'in order, none twice',
  );
  assert.ok(seqs.length > 1000 && seqs.length < count);
  assert.deepEqual(
    seqs.slice(-1000),
    Array.from({ length: 1000 }, (_, index) => count - 999 + index),
  );
  store.flush();
});

function ask(): ReturnType<typeof get> {
  const request = get({ socketPath: join(folder, 'socket'), path: '/' });
  return request.on('error', () => undefined); // it leaves
}

function matched(query: string): ConstructorParameters<typeof Exchange>[2] {
  return { route: ROUTES.events, params: {}, query: new URLSearchParams(query) };
}
