import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { NewEvent } from '../protocol/index.js';
import { Explainer, type EndedAttempt } from './explainer.js';
import { madeUpExit, testimony } from './made-up-evidence.js';

const ENDED: EndedAttempt = {
  spec: { name: 'api', argv: ['node', 'api.js'] },
  instance: 0,
  attempt: 1,
  exit: madeUpExit({ error: { type: 'TypeError', message: 'no models', at: 'db.js:10' } }),
  asked: null,
  traces: {
    ...{ begunAt: 1_700_000_000_000, pid: 100, shim: 99, hint: null, errorPid: 100, serverKill: null },
    ...{ tree: new Set([100]), group: undefined, variables: new Set(['PATH']) },
    testimony: testimony(),
    lastLines: () => ['TypeError: no models'],
  },
};

test('an exit whose daemon is killed before it was explained is explained by the next one, once', (t) => {
  const home = folder(t);
  // The verdict would come in the next turn of the event loop.
  const code = `
    import { Explainer } from './src/forensics/explainer.ts';
    const ended = ${JSON.stringify(ENDED)};
    const { traces } = ended;
    Object.assign(traces, { tree: new Set(), variables: null, lastLines: () => [] });
    Object.assign(traces.testimony, { pids: new Set([100]), rejections: new Set() });
    const explainer = new Explainer({ home: ${JSON.stringify(home)}, emit() {}, onInternalError(error) { throw error; } });
    explainer.explain(ended);
    process.kill(process.pid, 'SIGKILL');`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(signal, 'SIGKILL', stderr);
  const [name] = readdirSync(join(home, 'exits', 'pending'));
  assert.equal(statSync(join(home, 'exits', 'pending', name!)).mode & 0o777, 0o600);

  const told = begin(home);
  assert.deepEqual(
    told.map((event) => event.type === 'exit-explained' && event.cause),
    ['exception'],
  );
  assert.deepEqual(readdirSync(join(home, 'exits', 'pending')), []);
  assert.deepEqual(begin(home), [], 'not by a third one');
});

test('what is let go before it is explained is for the next one, and what is waited for is explained', async (t) => {
  const home = folder(t);
  const first = explainer(home);
  first.explain(ENDED);
  first.letGo();
  const told: NewEvent[] = [];
  const second = explainer(home, told);
  second.begin();
  second.explain({ ...ENDED, attempt: 2 });
  await second.settle();
  assert.deepEqual(
    told.map((event) => event.type === 'exit-explained' && event.attempt),
    [1, 2],
  );
  // As one that was killed between the verdict and the end of its file, and found the same exit once more in the journal of the attempt.
  second.explain({ ...ENDED, attempt: 2 });
  await second.settle();
  assert.equal(told.length, 2);
  assert.deepEqual(
    second.find('api', { limit: 9 }).exits.map(({ attempt }) => attempt),
    [2, 1],
  );
  second.end();
});

test('an exit that cannot be looked into is told as it is, and what a later version has left stays for it', async (t) => {
  const home = folder(t);
  const told: NewEvent[] = [];
  const errors: unknown[] = [];
  const only = explainer(home, told, errors);
  const lastLines = (): never => assert.fail('the log is gone');
  // Reads nothing when it is noted either.
  only.explain({ ...ENDED, traces: { ...ENDED.traces, lastLines } });
  await only.settle();
  assert.equal(errors.length > 0, true);
  const [exit] = only.find('api', { limit: 1 }).exits;
  assert.deepEqual([exit!.verdict.cause, exit!.verdict.confidence, told.length], ['unknown', 'unknown', 1]);
  const path = join(home, 'exits', 'pending', 'api.0.9.1.json');
  writeFileSync(path, '{"format":99}');
  assert.deepEqual(begin(home), []);
  assert.deepEqual(readdirSync(join(home, 'exits', 'pending')), ['api.0.9.1.json']);
});

function folder(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'upkeep-explainer-'));
  t.after(() => rmSync(home, { recursive: true }));
  return home;
}

function explainer(home: string, told: NewEvent[] = [], errors?: unknown[]): Explainer {
  const onInternalError = (error: unknown): void =>
    void (errors ? errors.push(error) : assert.fail(String(error)));
  return new Explainer({ home, emit: (event) => told.push(event), onInternalError });
}

/** What a daemon tells first. */
function begin(home: string): NewEvent[] {
  const told: NewEvent[] = [];
  const begun = explainer(home, told);
  begun.begin();
  begun.end();
  return told;
}
