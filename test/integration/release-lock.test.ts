import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FIXTURE = fileURLToPath(new URL('../fixtures/lock-taker.ts', import.meta.url));
const ROUNDS = 60;

/** A process that takes locks. */
class Taker implements Disposable {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterableIterator<string>;

  constructor() {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.#process = spawn(process.execPath, ['--import', 'tsx', FIXTURE], { stdio: [...stdio] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async ask(...words: readonly (string | number)[]): Promise<string> {
    this.#process.stdin!.write(`${words.join(' ')}\n`);
    return (await this.#lines.next()).value as string;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}

test('of two homes that find the same stale lock at the same moment, one has it', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-lock-'));
  context.after(() => rmSync(folder, { recursive: true }));
  using one = new Taker();
  using other = new Taker();
  const takers = [one, other];
  const all = (...words: readonly (string | number)[]): Promise<string[]> =>
    Promise.all(takers.map((taker) => taker.ask(...words)));
  const gone = { home: '/gone', host: hostname(), pid: 2 ** 22 - 1, startTicks: 1 };
  const stale = { fence: 4, ...gone, owner: 'release 3', reason: 'release', since: 'yesterday' };
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(join(folder, '.lock'), JSON.stringify(stale));
    const taken = await all('take', folder, Date.now() + 10);
    assert.deepEqual(taken.sort(), ['held', 'release-locked'], `round ${round}`);
    assert.deepEqual((await all('validate')).sort(), ['valid', 'without']);
    await all('release');
    assert.deepEqual(readdirSync(folder), []);
  }
});
