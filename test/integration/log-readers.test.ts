/** What the daemon reads of the logs that shims write: who wrote what, what comes, and what came last. */
import assert from 'node:assert/strict';
import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServiceLog, type LogRun } from '../../src/logs/index.js';
import type { LogEntry } from '../../src/protocol/index.js';
import { until } from '../rig/index.js';
import { Native, node } from '../rig/native.js';

const SERVICE = 'api';
const UNREAD: LogEntry = {
  service: SERVICE,
  instance: null,
  attempt: null,
  stream: 'out',
  at: null,
  lines: [],
  level: null,
  message: null,
  fields: null,
};

test('an attempt remembers its own last twenty lines, of stdout and of stderr', async () => {
  await using stage = new Stage();
  await stage.run('old', 'print("of the attempt before"); console.error("and its error")', { attempt: 1 });
  const run = await stage.run(
    'app',
    'for (let i = 1; i <= 30; i++) print("line " + i); console.error("sorry")',
    {
      attempt: 2,
    },
  );
  await stage.run('other', 'print("of another instance")', { instance: 1 });
  const expected = Array.from({ length: 20 }, (_, index) => `line ${11 + index}`);
  assert.deepEqual(stage.log.lastWords(run), [...expected, 'sorry']);
});

test('last lines are found behind those of others, and in files that were moved aside', async () => {
  await using stage = new Stage();
  const run = await stage.run('app', 'print("before")');
  const noise = 'for (let i = 0; i < 40; i++) { print("x".repeat(50)); wait(1); }';
  await stage.run('noise', noise, { instance: 1, options: ['log-max=1000'] });
  assert.deepEqual(stage.log.lastWords(run), ['before']);
});

test('the same attempt number of a service that was described again is another attempt', async () => {
  await using stage = new Stage();
  await stage.run('first', 'print("long ago")');
  const run = await stage.run('second', '');
  assert.deepEqual(stage.log.lastWords(run), []);
});

test('followers hear whole lines, with who wrote them, across rotations, until they end that', async () => {
  await using stage = new Stage();
  const heard: LogEntry[] = [];
  const follow = stage.log.follow(['out'], (line) => heard.push(line));
  const code = 'for (let i = 0; i < 300; i++) { print(instance + " " + i); wait(2); }';
  await Promise.all(
    [0, 1].map((instance) =>
      stage.run(`app${instance}`, `const instance = ${instance}; ${code}`, {
        instance,
        options: ['log-max=4000'],
      }),
    ),
  );
  await until('all was heard', () => heard.length === 600);
  for (const instance of [0, 1]) {
    const own = heard.filter(({ lines }) => lines[0]!.startsWith(`${instance} `));
    assert.deepEqual(
      own,
      Array.from({ length: 300 }, (_, i) => ({
        ...UNREAD,
        instance,
        attempt: 1,
        lines: [`${instance} ${i}`],
      })),
    );
  }
  follow.end();
  await stage.run('later', 'print("unheard")');
  assert.equal(heard.length, 600);
});

test('the last lines and what a follower hears afterwards have no gap and nothing twice', async () => {
  await using stage = new Stage();
  const ended = stage.run(
    'app',
    'for (let i = 0; i < 2000; i++) { print(String(i)); if (i % 20 === 0) wait(1); }',
  );
  await until('it writes', () => stage.log.lastLines('out', 1).length > 0);
  for (let round = 0; round < 5; round++) {
    const heard: LogEntry[] = [];
    const follow = stage.log.follow(['out'], (line) => heard.push(line));
    const before = stage.log.lastLines('out', 10, follow);
    await until(
      'something was heard, or all is over',
      () => heard.length > 20 || [...before, ...heard].at(-1)?.lines[0] === '1999',
    );
    const numbers = [...before, ...heard].map(({ lines }) => Number(lines[0]));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => numbers[0]! + index),
    );
    follow.end();
  }
  await ended;
});

test('what a follower cannot take waits in the files', async () => {
  await using stage = new Stage();
  const heard: string[] = [];
  let canTake = false;
  const follow = stage.log.follow(
    ['out'],
    ({ lines }) => heard.push(...lines),
    () => canTake,
  );
  await stage.run('app', 'print("one"); print("two")');
  follow.look();
  assert.deepEqual(heard, []);
  canTake = true;
  await until('it was heard', () => heard.length === 2);
  follow.end();
});

test('an attempt is followed from its beginning, however late', async () => {
  await using stage = new Stage();
  await stage.run('before', 'print("not this one")', { attempt: 1 });
  const run = await stage.run('app', 'print("one"); wait(60); print("two"); console.error("three")', {
    attempt: 2,
  });
  await stage.run('after', 'print("nor this one")', { attempt: 3 });
  const heard: string[] = [];
  const follow = stage.log.followRun(run, (line) => heard.push(line));
  follow.look();
  follow.end();
  assert.deepEqual(heard, ['one', 'two', 'three']);
});

test('followers go on where the log is deleted or truncated, or its folder is', async () => {
  await using stage = new Stage();
  const heard: string[] = [];
  const follow = stage.log.follow(['out'], ({ lines }) => heard.push(...lines));
  const ruin = [
    () => undefined,
    () => rmSync(stage.log.path('out')),
    () => truncateSync(stage.log.path('out')),
    () => rmSync(stage.log.folder, { recursive: true }),
  ];
  for (const [index, ruinIt] of ruin.entries()) {
    ruinIt();
    await stage.run(`app${index}`, `print("line ${index}")`);
    await until(`line ${index} was heard`, () => heard.includes(`line ${index}`));
  }
  follow.end();
  assert.deepEqual(heard, ['line 0', 'line 1', 'line 2', 'line 3']);
});

test('where the index is missing or spoilt, lines are nobody’s', async () => {
  await using stage = new Stage();
  await stage.run('app', 'print("before")');
  writeFileSync(join(stage.log.folder, 'out.idx'), 'spoilt');
  const heard: LogEntry[] = [];
  const follow = stage.log.follow(['out'], (line) => heard.push(line));
  appendFileSync(stage.log.path('out'), 'a stranger\n');
  await until('it was heard', () => heard.length === 1);
  follow.end();
  assert.deepEqual(heard, [{ ...UNREAD, lines: ['a stranger'] }]);
});

interface RunOptions {
  readonly instance?: number;
  readonly attempt?: number;
  readonly options?: readonly string[];
}

/** Shims that share the log of one service. */
class Stage {
  readonly #native = new Native();
  readonly log = new ServiceLog(this.#native.folder, SERVICE);

  /** Resolves when it has ended. */
  async run(
    name: string,
    code: string,
    { instance = 0, attempt = 1, options = [] }: RunOptions = {},
  ): Promise<LogRun> {
    const helpers = `const print = (text) => fs.writeSync(1, text + '\\n');
      const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);`;
    const argv = node(helpers + code);
    const own = [`log=${this.log.folder}`, `log-as=${instance}.${attempt}`];
    this.#native.launchUnseen(name, { argv, options: [...own, ...options] });
    const begun = await this.#native.seen(new RegExp(`^${name} shim .* (\\d+)$`));
    await this.#native.seen(new RegExp(`^${name} exited 0`));
    return { instance, attempt, begunAt: Number(begun) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#native[Symbol.asyncDispose]();
  }
}
