/**
 * Of hundreds of random histories of a commit in GitLab the right build is found and fetched, or it is said why there is none.
 *
 * Builds expire and are there all the same, are retried, fail, lie in child pipelines and on later pages; schedules have none; the
 * network breaks off, answers 502 and 429. An object storage of another origin serves half of the archives. What has to come out is
 * known beforehand; tokens that were planted must appear nowhere. First the case that all of this began with is acted out.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { SourceSpec } from '../../src/protocol/index.js';
import { FakeGitlab } from '../../test/rig/fake-gitlab.js';
import { SourceBench } from '../../test/rig/source-bench.js';
import { zip } from '../../test/rig/zip-bytes.js';
import { disturb, fill, randomFrom } from './the-right-build-is-found/history.js';

const HISTORIES = 400;
const AT_ONCE = 4;
const SHA = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
const TOKEN = 'glpat-PLANTED-in-token';
const DAY_MS = 86_400_000;

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const count = Math.max(4, Math.round(HISTORIES * Number(values.scale)));
const counts = { found: 0, refused: 0, expiredButThere: 0, resumed: 0, requests: 0, elsewhere: 0 };
const startedAt = performance.now();

await actOutTheFirstCase();
const queue = Array.from({ length: count }, (_, index) => Number(values.seed) * 100_000 + index);
await Promise.all(Array.from({ length: AT_ONCE }, work));
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(
  `${count} histories: ${counts.found} builds found, each the right one (${counts.expiredButThere} had expired by their date); ` +
    `${counts.refused} refused, each with its candidates and a next step; 0 wrong`,
);
console.log(
  `${counts.requests} requests, ${counts.elsewhere} of them to another origin, 0 of those with a token; ` +
    `${counts.resumed} downloads taken up where they broke off; 0 planted words in what was said or written; ${seconds} s`,
);

async function work(): Promise<void> {
  for (let seed = queue.shift(); seed !== undefined; seed = queue.shift()) await tryOne(seed);
}

async function tryOne(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const isOld = random() < 0.2;
  await using gitlab = await FakeGitlab.open({ hasStorage: random() < 0.5, version: isOld ? 13 : 17 });
  using bench = new SourceBench();
  gitlab.signature = 'PLANTED-in-signature';
  gitlab.tokens.set(TOKEN, { role: 'reporter', scope: 'read_api' });
  gitlab.refs.set('main', SHA);
  const { job } = fill(gitlab, SHA, random, isOld);
  disturb(gitlab, job, random);
  const source = specOf(gitlab);
  const { choice, error } = await bench.resolve(source, { ref: 'main' });
  const where = `seed ${seed}`;
  if (job === null) {
    assert.equal(error?.code, 'artifact-not-found', where);
    assert.ok(error.hint, where);
    counts.refused += 1;
  } else {
    assert.equal(choice?.place.job, String(job.id), `${where}: ${error?.message}`);
    const { build } = await bench.fetch(source, { ref: 'main' }, choice);
    assert.equal(build?.sha256, createHash('sha256').update(job.archive!).digest('hex'), where);
    counts.found += 1;
    if (job.expiresAt && Date.parse(job.expiresAt) < Date.now()) counts.expiredButThere += 1;
  }
  judgeWhatWasSaid(gitlab, bench, where);
}

function judgeWhatWasSaid(gitlab: FakeGitlab, bench: SourceBench, where: string): void {
  const own = gitlab.server.heard;
  const elsewhere = gitlab.storage.heard;
  assert.ok(
    own.every(({ headers }) => headers['private-token'] === TOKEN),
    where,
  );
  assert.ok(!JSON.stringify(elsewhere.map(({ headers }) => headers)).includes('PLANTED'), where);
  assert.ok(![...bench.words, bench.written()].join('\n').includes('PLANTED'), where);
  assert.deepEqual(bench.leftovers(), [], where);
  counts.requests += own.length + elsewhere.length;
  counts.elsewhere += elsewhere.length;
  counts.resumed += [...own, ...elsewhere].filter(({ headers }) => headers.range !== undefined).length;
}

/** A release of a commit whose build had expired: the newest pipeline was a schedule without one, the newest success a lint. */
async function actOutTheFirstCase(): Promise<void> {
  await using gitlab = await FakeGitlab.open({ hasStorage: true });
  using bench = new SourceBench();
  const before = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
  gitlab.tokens.set(TOKEN, { role: 'reporter', scope: 'read_api' });
  gitlab.pipelines.push({ id: 98, sha: SHA }, { id: 99, sha: SHA, source: 'schedule' });
  gitlab.jobs.push(
    { id: 812, pipeline: 98, name: 'build', archive: null, finishedAt: before(33), expiresAt: before(3.2) },
    { id: 813, pipeline: 98, name: 'lint', finishedAt: before(32) },
    { id: 901, pipeline: 99, name: 'lint', finishedAt: before(1) },
  );
  const { error } = await bench.resolve(specOf(gitlab), { commit: SHA });
  assert.equal(error?.code, 'artifact-not-found');
  console.log(`${error.message}\n  hint: ${error.hint}`);
  for (const { pipeline, origin, name, status, archive, expiresAt, verdict } of bench.candidates)
    console.log(
      `  ${[pipeline, origin, name, status, archive ?? '-', expiresAt?.slice(0, 10) ?? '-', verdict].join(' | ')}`,
    );
  // Somebody does what is said: the job is run again, in the same pipeline.
  gitlab.jobs.push({
    id: 902,
    pipeline: 98,
    name: 'build',
    archive: zip([{ name: 'a', content: 'a' }]),
    finishedAt: before(0),
  });
  const { build } = await bench.bring(specOf(gitlab), { commit: SHA });
  assert.match(build!.from, /^job 902 "build" of web\/shop on /);
  console.log(`re-run: ${build!.from}, ${build!.bytes} bytes in the store\n`);
}

function specOf({ url, project }: FakeGitlab): SourceSpec {
  return { type: 'gitlab', url, project, job: 'build', token: TOKEN, package: null, keep: false };
}
