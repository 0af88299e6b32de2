/** A random history of a commit in GitLab, and what has to come out of it. */
import type { FakeGitlab, FakeJob } from '../../../test/rig/fake-gitlab.js';
import type { Trouble } from '../../../test/rig/fake-server.js';
import { zip } from '../../../test/rig/zip-bytes.js';

export type Random = () => number;

export interface Expectation {
  /** The job whose archive is the build; null: none is usable. */
  readonly job: FakeJob | null;
}

const DAY_MS = 86_400_000;
const SOURCES = ['push', 'push', 'schedule', 'merge_request_event', 'parent_pipeline', 'web'];

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pipelines of the commit and of another one, with jobs that build, fail, are retried, expire and stay; many pages of them. */
export function fill(gitlab: FakeGitlab, sha: string, random: Random, isOld: boolean): Expectation {
  const chance = (probability: number): boolean => random() < probability;
  let job = 100;
  const builds: FakeJob[] = [];
  for (let pipeline = 1, end = 1 + Math.floor(random() * 6); pipeline <= end; pipeline++) {
    const isOther = chance(0.2);
    const source = SOURCES[Math.floor(random() * SOURCES.length)]!;
    gitlab.pipelines.push({
      id: pipeline,
      sha: isOther ? 'e'.repeat(40) : sha,
      source: isOld ? 'push' : source,
    });
    for (let other = Math.floor(random() * (chance(0.2) ? 230 : 5)); other > 0; other--)
      gitlab.jobs.push({ id: job++, pipeline, name: `other ${other % 7}`, archive: Buffer.from('no') });
    for (let build = Math.floor(random() * 4); build > 0; build--) {
      const made = makeBuild(job++, pipeline, build > 1, random);
      gitlab.jobs.push(made);
      if (!isOther) builds.push(made);
    }
  }
  // Where retried jobs are listed like others (before 13.5), a newer one that finished may be any of them.
  const usable = builds.filter(
    (each) => each.status === 'success' && each.archive && (isOld || !each.isRetried),
  );
  usable.sort((a, b) => b.finishedAt!.localeCompare(a.finishedAt!));
  return { job: usable[0] ?? null };
}

/** @param isRetried another one of the pipeline follows */
function makeBuild(id: number, pipeline: number, isRetried: boolean, random: Random): FakeJob {
  const now = Date.now();
  const isSwept = random() < 0.4;
  const hasExpiry = isSwept || random() < 0.5;
  // Jobs do not finish in the order of their numbers.
  const finishedAt = new Date(now - 40 * DAY_MS + Math.floor(random() * 30 * DAY_MS) + id).toISOString();
  const expiresAt = new Date(
    now + (isSwept || random() < 0.5 ? -1 : 1) * random() * 9 * DAY_MS,
  ).toISOString();
  return {
    ...{ id, pipeline, name: 'build', isRetried, finishedAt },
    status:
      random() < 0.8 ? 'success' : ['failed', 'canceled', 'running', 'manual'][Math.floor(random() * 4)]!,
    archive: isSwept
      ? null
      : zip([{ name: 'build.txt', content: `job ${id} of pipeline ${pipeline}`.repeat(200) }]),
    expiresAt: hasExpiry ? expiresAt : null,
  };
}

/** At most three at a time: more in a row end a release, rightly. */
export function disturb(gitlab: FakeGitlab, job: FakeJob | null, random: Random): void {
  const pick = (): number => 1 + Math.floor(random() * 2);
  const { troubles } = gitlab.server;
  if (random() < 0.3) troubles.push({ at: '/pipelines?', times: pick(), status: 502 });
  if (random() < 0.3)
    troubles.push({ at: '/jobs?', times: pick(), status: 429, headers: { 'retry-after': '0' } });
  if (job === null || random() < 0.4) return;
  const cut: Trouble = {
    at: `/${job.id}`,
    times: pick(),
    cutAfter: Math.floor(random() * job.archive!.length),
  };
  gitlab.server.troubles.push({ ...cut });
  gitlab.storage.troubles.push({ ...cut });
}
