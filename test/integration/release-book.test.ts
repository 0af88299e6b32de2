/** The book of releases with stages that only say what they would do: its journal, its lock, and daemons that die at every step. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  RELEASE_STAGES,
  UpkeepError,
  type ReleaseBuild,
  type ReleaseRequest,
  type ReleaseStage,
  type ReleaseView,
  type Requester,
} from '../../src/protocol/index.js';
import { Releases, type ReleasesOptions } from '../../src/release/index.js';
import { Journal } from '../../src/store/index.js';
import { deferred } from '../../src/util/index.js';
import { releaseSpec } from '../rig/release-spec.js';
import { until } from '../rig/until.js';

const SOMEBODY: Requester = { uid: 0, pid: 1, command: 'test', service: null, instance: null, attempt: null };
const BUILD: ReleaseBuild = {
  sha256: 'a'.repeat(64),
  bytes: 1,
  commit: null,
  version: '1.0.0',
  from: 'a test',
};

let folder: string;
let open: Releases[];
let journals: Journal[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-releases-'));
  open = [];
  journals = [];
});
afterEach(async () => {
  for (const releases of open) await releases.close();
  for (const journal of journals) await journal.close();
  rmSync(folder, { recursive: true });
});

interface Life {
  readonly releases: Releases;
  /** What was done, in its order. */
  readonly done: string[];
}

/** A daemon in the home of the test. */
function live(
  perform: (stage: ReleaseStage, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  options: Partial<ReleasesOptions> = {},
): Life {
  const done: string[] = [];
  const journal = new Journal(join(folder, 'releases.jsonl'));
  journals.push(journal);
  const releases = new Releases({
    home: folder,
    journal,
    wall: () => new Date(),
    perform: async (_run, stage, { signal }) => {
      done.push(stage);
      await perform(stage, signal);
      return stage === 'fetch'
        ? { build: BUILD }
        : stage === 'stage'
          ? { folder: join(folder, 'shop', '1-1.0.0') }
          : {};
    },
    revert: async (_run, how) => void done.push(how),
    onChange: () => undefined,
    onInternalError: (error) => {
      throw error;
    },
    ...options,
  });
  releases.begin();
  open.push(releases);
  return { releases, done };
}

function request(more: Partial<ReleaseRequest> = {}): ReleaseRequest {
  const spec = releaseSpec({ folder: join(folder, 'shop') });
  return { spec, group: 'shop', target: {}, waive: [], plan: false, force: false, ...more };
}

async function make(releases: Releases, more: Partial<ReleaseRequest> = {}): Promise<ReleaseView> {
  const { id } = await releases.request(request(more), SOMEBODY);
  return releases.untilEnded(id);
}

/** Fails there. */
function failing(at: ReleaseStage): (stage: ReleaseStage) => Promise<void> {
  return (stage) =>
    stage === at
      ? Promise.reject(
          new UpkeepError('release-failed', `Cannot pass ${at}: it is broken`, { hint: 'mend it' }),
        )
      : Promise.resolve();
}

test('a release goes through all stages, in their order', async () => {
  const { releases, done } = live();
  const view = await make(releases);
  assert.equal(view.status, 'succeeded');
  assert.deepEqual(done, [...RELEASE_STAGES]);
  assert.equal(releases.groups()[0]!.current, view.id);
});

test('what fails before the new one is the service is sent away, after it the one before is put back', async () => {
  for (const [stage, status, how] of [
    ['fetch', 'failed', 'dismiss'],
    ['verify', 'failed', 'dismiss'],
    ['bake', 'rolled-back', 'switch-back'],
  ] as const) {
    rmSync(join(folder, 'releases.jsonl'), { force: true });
    const { releases, done } = live(failing(stage));
    const view = await make(releases);
    assert.deepEqual([view.status, done.at(-1)], [status, how]);
    assert.equal(view.failure?.message, `Cannot pass ${stage}: it is broken`);
    assert.equal(releases.groups()[0]!.current, null);
  }
});

test('a daemon that is killed at any step is followed by one that brings the release to the same end', async () => {
  for (const broken of [undefined, 'preflight', 'verify', 'bake'] as const) {
    const whole = broken === undefined ? RELEASE_STAGES.length : RELEASE_STAGES.indexOf(broken) + 1;
    for (let killed = 0; killed < whole; killed++) {
      rmSync(join(folder, 'releases.jsonl'), { force: true });
      rmSync(join(folder, 'shop', '.lock'), { force: true });
      const at = RELEASE_STAGES[killed]!;
      const never = deferred();
      const first = live((stage) => (stage === at ? never.promise : Promise.resolve()));
      const { id } = await first.releases.request(request(), SOMEBODY);
      await until(`${at} has begun`, () => first.done.includes(at) || undefined);
      // Nothing of the first one is ended: as after a SIGKILL, only what is on disk is left.
      const second = live(broken === undefined ? undefined : failing(broken));
      const view = await second.releases.untilEnded(id);
      const end = broken === undefined ? 'succeeded' : broken === 'bake' ? 'rolled-back' : 'failed';
      assert.equal(view.status, end, `killed at ${at}, broken at ${broken}`);
      assert.equal(second.done[0], at, 'it is gone on with where it was');
      assert.equal(existsSync(join(folder, 'shop', '.lock')), false);
      await second.releases.close();
      open.length = 0; // the first one is dead: it is never heard of again
    }
  }
});

test('the same wish is granted once, another one is refused with the name of who was first', async () => {
  const gate = deferred();
  const { releases, done } = live((stage) => (stage === 'resolve' ? gate.promise : Promise.resolve()));
  const all = await Promise.all(Array.from({ length: 10 }, () => releases.request(request(), SOMEBODY)));
  assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(['1']));
  assert.equal(all[0]!.joined.length, 9);
  await assert.rejects(releases.request(request({ target: { version: '2' } }), SOMEBODY), {
    code: 'release-locked',
    message: 'Cannot release "shop": release 1 of "shop" is being made (resolve), asked for by test',
  });
  gate.resolve();
  assert.equal((await releases.untilEnded('1')).status, 'succeeded');
  assert.deepEqual(done, [...RELEASE_STAGES]);
});

test('an abort ends what is being done, and what served before serves on', async () => {
  const { releases, done } = live((stage, signal) =>
    stage === 'verify'
      ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      : Promise.resolve(),
  );
  const { id } = await releases.request(request(), SOMEBODY);
  await until('it verifies', () => done.includes('verify') || undefined);
  releases.abort(id, SOMEBODY);
  const view = await releases.untilEnded(id);
  assert.deepEqual([view.status, view.failure, done.at(-1)], ['aborted', null, 'dismiss']);
});

test('a rollback goes to the last other build that has served well', async () => {
  let version = 0;
  const perform: ReleasesOptions['perform'] = (run, stage) => {
    if (run.view.kind === 'rollback' || stage !== 'fetch') return Promise.resolve({});
    version++;
    const build = { ...BUILD, version: `${version}.0.0`, sha256: String(version).repeat(64) };
    return Promise.resolve({ build, folder: join(folder, 'shop', `${run.id}-${version}`) });
  };
  const { releases } = live(undefined, { perform });
  for (let count = 0; count < 3; count++) assert.equal((await make(releases)).status, 'succeeded');
  const { id } = await releases.rollback({ group: 'shop' }, SOMEBODY);
  const view = await releases.untilEnded(id);
  assert.deepEqual([view.status, view.kind, view.build?.version], ['succeeded', 'rollback', '2.0.0']);
  const named = await releases.rollback({ group: 'shop', to: '1.0.0' }, SOMEBODY);
  assert.equal((await releases.untilEnded(named.id)).build?.version, '1.0.0');
  await assert.rejects(releases.rollback({ group: 'shop', to: '9' }, SOMEBODY), {
    code: 'release-not-found',
  });
});

test('a folder that another home releases into is refused with the name of its owner, and taken over when that is gone', async () => {
  const lock = {
    fence: 7,
    home: '/elsewhere',
    host: (await import('node:os')).hostname(),
    owner: 'release 3 of "shop"',
    reason: 'release, asked for by ci',
    since: '2026-01-01T00:00:00.000Z',
  };
  mkdirSync(join(folder, 'shop'));
  const path = join(folder, 'shop', '.lock');
  const { readProcess } = await import('../../src/system/index.js');
  writeFileSync(
    path,
    JSON.stringify({ ...lock, pid: process.pid, startTicks: readProcess(process.pid)!.startTicks }),
  );
  const { releases } = live();
  await assert.rejects(make(releases), {
    code: 'release-locked',
    message: /release 3 of "shop" is at it since 2026/,
  });
  writeFileSync(path, JSON.stringify({ ...lock, pid: process.pid, startTicks: 1 }));
  const view = await make(releases);
  assert.equal(view.status, 'succeeded');
  assert.match(
    view.notes.join(),
    /the lock of release 3 of "shop" .* was taken over: its process, pid \d+, is gone/,
  );
});
