/** The book of releases with stages that only say what they would do: its journal, its lock, and daemons that die at every step. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
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
import type { AcceptedLine, ReleaseLine } from '../../src/release/journal.js';
import { NEEDLESS } from '../../src/release/release-run.js';
import { Journal } from '../../src/store/index.js';
import { readProcess } from '../../src/system/index.js';
import { deferred } from '../../src/util/index.js';
import { releaseSpec } from '../rig/release-spec.js';
import { formatReleaseEnd } from '../../src/cli/output/release.js';
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
    switchovers: () => [],
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

interface Versions extends Life {
  release(version: string, more?: Partial<ReleaseRequest>): Promise<ReleaseView>;
  rollback(to?: string): Promise<ReleaseView>;
}

/** Each version is a build of its own; one that serves already is not put in place again. */
function liveVersions(
  perform: (stage: ReleaseStage, kind: ReleaseView['kind']) => Promise<void> = () => Promise.resolve(),
): Versions {
  let version = '';
  const life = live(undefined, {
    perform: async (run, stage) => {
      await perform(stage, run.view.kind);
      if (run.view.kind === 'rollback' || stage !== 'fetch') return {};
      const sha256 = createHash('sha256').update(version).digest('hex');
      const build = { ...BUILD, version, sha256 };
      run.note({ build });
      if (!run.request.force && life.releases.before(run)?.view.build?.sha256 === sha256) return NEEDLESS;
      return { folder: join(folder, 'shop', `${run.id}-${version}`) };
    },
  });
  const { releases } = life;
  return {
    ...life,
    release: (wanted, more) => {
      version = wanted;
      return make(releases, more);
    },
    rollback: async (to) => {
      const { id } = await releases.rollback(
        { group: 'shop', ...(to === undefined ? {} : { to }) },
        SOMEBODY,
      );
      return releases.untilEnded(id);
    },
  };
}

/** As if the last release had been asked for again and again. */
function writeNeedless(count: number): void {
  const path = join(folder, 'releases.jsonl');
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReleaseLine);
  const accepted = lines.findLast((line): line is AcceptedLine => line.type === 'accepted')!;
  const step = lines.findLast((line) => line.type === 'step')!;
  for (let id = Number(step.view.id) + 1; count > 0; id++, count--) {
    const view = { ...step.view, id: String(id), folder: null };
    appendFileSync(path, `${JSON.stringify({ ...accepted, ...step, type: 'accepted', view })}\n`);
  }
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
  assert.equal(releases.groups(1)[0]!.current, view.id);
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
    assert.equal(releases.groups(1)[0]!.current, null);
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

test('the same wish from another shell is the same', async () => {
  const gate = deferred();
  const { releases } = live((stage) => (stage === 'resolve' ? gate.promise : Promise.resolve()));
  const from = (value: string, source: string): Promise<ReleaseView> => {
    const { spec } = request();
    const env = { PATH: { value, source }, LC_ALL: { value, source } };
    const services = spec!.services.map((service) => ({ ...service, env }));
    return releases.request(request({ spec: { ...spec!, services } }), SOMEBODY);
  };
  const [cron, ci] = [await from('/bin', 'shell'), await from('/opt/ci/bin', 'shell')];
  assert.equal(ci.id, cron.id);
  await assert.rejects(from('/opt/ci/bin', 'upkeep.config.ts'), { code: 'release-locked' });
  gate.resolve();
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
  const { releases, release, rollback } = liveVersions();
  for (const version of ['1.0.0', '2.0.0', '3.0.0'])
    assert.equal((await release(version)).status, 'succeeded');
  const view = await rollback();
  assert.deepEqual([view.status, view.kind, view.build?.version], ['succeeded', 'rollback', '2.0.0']);
  const named = await rollback('1.0.0');
  assert.equal(named.build?.version, '1.0.0');
  const [group] = releases.groups(2);
  assert.deepEqual(
    group!.releases.map((each) => each.id),
    [named.id, view.id],
  );
  await assert.rejects(rollback('9'), { code: 'release-not-found' });
});

test('a second rollback goes on to the one before, and never to what was gone back from', async () => {
  const { releases, release, rollback } = liveVersions();
  const to = async (name?: string): Promise<unknown> => (await rollback(name)).build?.version;
  const wayBack = (): string | undefined => releases.kept('shop').find((each) => each.isWayBack)?.id;
  for (const version of ['0.9.0', '1.0.0', '2.0.0']) await release(version);
  assert.equal(await to(), '1.0.0');
  assert.equal(wayBack(), '1');
  assert.equal(await to(), '0.9.0');
  assert.equal(wayBack(), undefined);
  await assert.rejects(to(), {
    code: 'release-not-found',
    hint: 'known, for --to: 4 (1.0.0), 3 (2.0.0), 2 (1.0.0), 1 (0.9.0)',
  });
  await release('3.0.0');
  assert.equal(await to(), '0.9.0', 'the others were gone back from');
  assert.equal(await to('2.0.0'), '2.0.0', 'but may be named');
  await release('4.0.0');
  assert.equal(await to(), '2.0.0', 'and are good again');
  assert.ok(
    releases.kept('shop').every(({ hasFailed }) => !hasFailed),
    'no folder goes at once',
  );
});

test('the same way back is gone once, whenever it is asked for meanwhile', async () => {
  for (const at of ['prepare', 'finish'] as const) {
    rmSync(join(folder, 'releases.jsonl'), { force: true });
    const gate = deferred();
    const hasCome = deferred();
    const { releases, release } = liveVersions(async (stage, kind) => {
      if (kind !== 'rollback' || stage !== at) return;
      hasCome.resolve();
      await gate.promise;
    });
    for (const version of ['0.9.0', '1.0.0', '2.0.0']) await release(version);
    const ask = (to?: string): Promise<ReleaseView> =>
      releases.rollback({ group: 'shop', ...(to === undefined ? {} : { to }) }, SOMEBODY);
    const all = [ask(), ask(), ask('1.0.0')];
    await hasCome.promise;
    all.push(ask(), ask('2'));
    assert.deepEqual(new Set((await Promise.all(all)).map(({ id }) => id)), new Set(['4']), at);
    await assert.rejects(ask('0.9.0'), { code: 'release-locked' });
    gate.resolve();
    const { status, joined } = await releases.untilEnded('4');
    assert.deepEqual([status, joined.length], ['succeeded', 4]);
  }
});

test('a rollback goes to where a build lies, and not to where it was asked for in vain', async () => {
  const { release, rollback } = liveVersions();
  const first = await release('1.0.0');
  const needless = await release('1.0.0');
  assert.deepEqual([needless.status, needless.folder], ['succeeded', null]);
  await release('2.0.0');
  const view = await rollback();
  assert.deepEqual([view.folder, view.notes], [first.folder, ['back to release 1']]);
  await assert.rejects(rollback(needless.id), { code: 'release-not-found' });
});

test('where two releases are alike, a rollback goes to the one whose folder is there', async () => {
  const { release, rollback } = liveVersions();
  const first = await release('1.0.0');
  const second = await release('1.0.0', { force: true });
  await release('2.0.0');
  mkdirSync(first.folder!, { recursive: true });
  assert.equal((await rollback()).folder, first.folder);
  mkdirSync(second.folder!, { recursive: true });
  assert.equal((await rollback(second.id)).folder, second.folder);
});

test('a rollback leaves the description of its group as it is, also to the next daemon', async () => {
  const first = liveVersions();
  await first.release('1.0.0');
  const { spec } = request();
  await first.release('2.0.0', { spec: { ...spec!, keep: 7 } });
  const view = await first.rollback();
  assert.equal(first.releases.run(view.id)!.spec.keep, 3);
  await first.releases.close();
  const keepOf = async ({ releases }: Life): Promise<number> => {
    const { id } = await releases.request({ ...request({ plan: true }), spec: undefined }, SOMEBODY);
    await releases.untilEnded(id);
    return releases.run(id)!.spec.keep;
  };
  const second = liveVersions();
  assert.equal(await keepOf(second), 7);
  await second.rollback('1.0.0');
  await second.releases.close();
  appendFileSync(join(folder, 'releases.jsonl'), '{"type":"st'); // torn: it is renewed
  const third = liveVersions();
  await third.rollback('2.0.0');
  await third.releases.close();
  const [line] = readFileSync(join(folder, 'releases.jsonl'), 'utf8').split('\n');
  assert.match(line!, /"accepted"/, 'descriptions come after what they were once');
  assert.equal(await keepOf(liveVersions()), 7);
});

test('a home that has lost its book counts on from its switchovers, and from what lies in the folder of the group', async () => {
  const { releases } = live(undefined, { switchovers: () => ['5', '7 back to 6', '6'] });
  assert.equal((await make(releases)).id, '8');
  const lying = join(folder, 'shop', '12-1.0.0');
  mkdirSync(lying, { recursive: true });
  const record = { id: '12', group: 'shop', ...BUILD, from: 'a test', isReady: true };
  writeFileSync(join(lying, '.upkeep-release.json'), JSON.stringify(record));
  mkdirSync(join(folder, 'shop', '2024-of-somebody'));
  assert.equal((await make(releases)).id, '13');
});

test('what may be gone back to is not forgotten, however often what serves is asked for again', async () => {
  const first = liveVersions();
  await first.release('1.0.0');
  await first.releases.close();
  writeNeedless(250);
  const gate = deferred();
  const isBaking = deferred();
  const { releases, release, rollback } = liveVersions(async (stage) => {
    if (stage !== 'bake') return;
    isBaking.resolve();
    await gate.promise;
  });
  const made = release('2.0.0');
  await isBaking.promise;
  const other = releaseSpec({ name: 'other', folder: join(folder, 'other') });
  await releases.request(request({ spec: other, group: 'other' }), SOMEBODY);
  const [group] = releases.groups(Infinity).filter((each) => each.group === 'shop');
  const before = releases.before(releases.run(group!.current!)!);
  gate.resolve();
  assert.equal(group!.releases.length, 200);
  assert.equal(before?.id, '1');
  assert.equal((await made).status, 'succeeded');
  assert.equal((await rollback()).build?.version, '1.0.0');
});

test('a folder that another home releases into is refused with the name of its owner, and taken over when that is gone', async () => {
  const lock = {
    fence: 7,
    home: '/elsewhere',
    host: hostname(),
    owner: 'release 3 of "shop"',
    reason: 'release, asked for by ci',
    since: '2026-01-01T00:00:00.000Z',
  };
  mkdirSync(join(folder, 'shop'));
  const path = join(folder, 'shop', '.lock');
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

/** As this process would hold it. */
function lockOf(home: string): string {
  const [fence, host, pid] = [1, hostname(), process.pid];
  const { startTicks } = readProcess(pid)!;
  const words = { owner: 'release 1 of "shop"', reason: 'release', since: '2026-01-01T00:00:00.000Z' };
  return `${JSON.stringify({ fence, home, host, pid, startTicks, ...words })}\n`;
}

test('a daemon that was killed when its release had ended leaves a lock that the next one clears away', async () => {
  const first = live();
  assert.equal((await make(first.releases)).status, 'succeeded');
  const path = join(folder, 'shop', '.lock');
  const own = lockOf(folder);
  for (const left of [own, own.slice(0, 20), '']) {
    writeFileSync(path, left);
    live();
    assert.equal(existsSync(path), false, left);
  }
  writeFileSync(path, lockOf('/elsewhere'));
  live();
  assert.ok(existsSync(path), 'it is somebody else’s');
});

test('a lock that a power cut has torn stands in the way of nobody', async () => {
  const never = deferred();
  const first = live((stage) => (stage === 'verify' ? never.promise : Promise.resolve()));
  const { id } = await first.releases.request(request(), SOMEBODY);
  await until('it verifies', () => first.done.includes('verify') || undefined);
  open.length = 0; // the first one is dead
  writeFileSync(join(folder, 'shop', '.lock'), '');
  const second = live();
  assert.equal((await second.releases.untilEnded(id)).status, 'succeeded');
  assert.equal(existsSync(join(folder, 'shop', '.lock')), false);
});

test('a lock that cannot be written is nobody else’s: no release begins, and one that is half done goes on', async () => {
  const never = deferred();
  const first = live((stage) => (stage === 'verify' ? never.promise : Promise.resolve()));
  const { id } = await first.releases.request(request(), SOMEBODY);
  await until('it verifies', () => first.done.includes('verify') || undefined);
  open.length = 0; // the first one is dead
  const place = join(folder, 'shop');
  rmSync(place, { recursive: true });
  writeFileSync(place, 'a file');
  const gate = deferred();
  const second = live((stage) => (stage === 'verify' ? gate.promise : Promise.resolve()));
  await until('it verifies again', () => second.done.includes('verify') || undefined);
  rmSync(place);
  gate.resolve();
  const view = await second.releases.untilEnded(id);
  assert.deepEqual([view.status, view.failure], ['succeeded', null]);
  assert.match(
    view.notes.join('; '),
    /^Cannot lock ".+shop" for a release: E[^;]+; it goes on, and tries again at each stage$/,
  );
  assert.ok(existsSync(place), 'it was locked when that could be done');

  rmSync(place, { recursive: true });
  writeFileSync(place, 'a file');
  await assert.rejects(make(second.releases), {
    code: 'release-failed',
    message: /^Cannot lock ".+shop" for a release: E/,
    hint: `see that "${place}" is a folder that the user of the daemon may write to`,
  });
  rmSync(place);
});

test('what is taking over, or is being put back, is not given up any more', async () => {
  for (const [at, fact] of [
    ['commit', /^Cannot abort release 1: its instances are taking over \(commit\)$/],
    ['finish', /^Cannot abort release 1: its instances are taking over \(finish\)$/],
  ] as const) {
    rmSync(join(folder, 'releases.jsonl'), { force: true });
    const gate = deferred();
    const { releases, done } = live((stage) => (stage === at ? gate.promise : Promise.resolve()));
    const { id } = await releases.request(request(), SOMEBODY);
    await until(`${at} has begun`, () => done.includes(at) || undefined);
    assert.throws(() => releases.abort(id, SOMEBODY), { code: 'not-running', message: fact });
    gate.resolve();
    const view = await releases.untilEnded(id);
    assert.deepEqual([view.status, view.abortedBy], ['succeeded', null]);
  }
});

test('a release that cannot be put back is the one that serves, and says so', async () => {
  const failures: ReleaseStage[] = ['bake'];
  const { releases } = live(
    (stage) => (failures.includes(stage) ? failing(stage)(stage) : Promise.resolve()),
    {
      revert: () =>
        Promise.reject(new UpkeepError('release-failed', 'Cannot go back: there is none before it')),
    },
  );
  const view = await make(releases);
  assert.deepEqual([view.status, view.failure?.message], ['failed', 'Cannot pass bake: it is broken']);
  assert.deepEqual(view.notes, ['Cannot go back: there is none before it']);
  assert.equal(releases.groups(1)[0]!.current, view.id);
  assert.equal(
    formatReleaseEnd(view).replace(/ \(\S+\)$/, ''),
    'Release 1 of shop 1.0.0 (aaaaaaa) failed: it could not be taken back, and serves',
  );
  failures.length = 0;
  const next = await make(releases, { target: { version: '2' } });
  assert.equal(next.status, 'succeeded');
  assert.equal(releases.groups(1)[0]!.current, next.id);
});

test('while a release is switched its services are not changed by another description', async () => {
  const gate = deferred();
  const { releases, done } = live((stage) => (stage === 'verify' ? gate.promise : Promise.resolve()));
  const { id } = await releases.request(request(), SOMEBODY);
  await until('it verifies', () => done.includes('verify') || undefined);
  const [service] = releaseSpec({ folder: join(folder, 'shop') }).services;
  assert.throws(() => releases.settle([service!]), {
    code: 'release-locked',
    message: `Cannot change "${service!.name}": release ${id} of "shop" is switching it (verify)`,
  });
  gate.resolve();
  await releases.untilEnded(id);
  assert.deepEqual(
    releases.settle([service!]).map(({ name }) => name),
    [service!.name],
  );
});
