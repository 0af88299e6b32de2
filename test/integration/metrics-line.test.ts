import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ProcessMetrics } from '../../src/protocol/index.js';
import { until } from '../rig/index.js';
import { MetricsLine } from '../../src/supervisor/metrics-line.js';

const folder = mkdtempSync(join(tmpdir(), 'upkeep-metrics-'));
after(() => rmSync(folder, { recursive: true }));

function counted(requests: number, more: object = {}): string {
  const metrics: ProcessMetrics = {
    ...{ requests, errors: 0, durationMs: 1, latency: [1], loop: [1], heapBytes: 1 },
    ...more,
  };
  return `${JSON.stringify({ metrics })}\n`;
}

/** A process whose answers the test decides; `clock`: what the line takes for the time. */
async function play(name: string, answer: (socket: Socket, asked: number) => void) {
  const sockets: Socket[] = [];
  let asked = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const questions = String(bytes).split('\n').length - 1;
      for (let each = 0; each < questions; each++) answer(socket, ++asked);
    });
  });
  const path = join(folder, name);
  await once(server.listen(path), 'listening');
  const clock = { ms: 0 };
  const line = new MetricsLine(path, () => clock.ms);
  return {
    line,
    clock,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      line.end();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a preload that answers once for each question is asked at each look, and has something for each', async () => {
  await using played = await play('once', (socket, asked) => socket.write(counted(asked)));
  const seen: (number | undefined)[] = [];
  for (let look = 0; look < 4; look++) {
    seen.push((await played.line.read())?.now.requests);
    const latest = async (): Promise<number | undefined> => (await played.line.read())?.now.requests;
    await until('its answer was heard', async () => (await latest()) === look + 1);
    played.clock.ms += 10_000;
  }
  assert.deepEqual(seen, [1, 1, 2, 3]);
});

test('a process that hangs is asked once, however often it is looked at', async () => {
  await using played = await play('hangs', (socket, asked) => {
    if (asked === 1) socket.write(counted(1));
  });
  assert.equal((await played.line.read())?.now.requests, 1);
  for (let look = 0; look < 20; look++) {
    played.clock.ms += 10_000;
    await played.line.read();
  }
  await until('the question has arrived', () => played.asked() > 1);
  assert.equal(await played.line.read(), undefined);
  assert.equal(played.asked(), 2);
});

test('what no preload says counts for nothing, and a line without an end is not read', async () => {
  const strange = [
    counted(-1),
    counted(1, { requests: 'many' }),
    counted(1, { latency: null }),
    counted(1, { loop: Array.from({ length: 1000 }, () => 1) }),
    counted(1, { slowest: 'none' }),
    '{"metrics":null}\n',
    '7\n',
  ];
  for (const [index, words] of strange.entries()) {
    await using played = await play(`strange-${index}`, (socket) => socket.write(words));
    assert.equal(await played.line.read(), undefined, words);
  }
  await using endless = await play('endless', (socket) => socket.write('x'.repeat(1_000_000)));
  assert.equal(await endless.line.read(), undefined);
  assert.ok(endless.line.isOver);
});
