/** Story 1 by the command, while something serves: builds come from a GitLab (test/rig/fake-gitlab.ts), and may have expired there. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeGitlab, type FakeJob } from '../rig/fake-gitlab.js';
import { freePort, Load, makeBuild, Shop, visit, type Build } from '../rig/index.js';
import { zip } from '../rig/zip-bytes.js';

const TOKEN = 'glpat-PLANTED-token-0002';
const DAY_MS = 86_400_000;

test('a build that has expired changes nothing and says what to do; the one before is back when its GitLab is gone', async () => {
  await using gitlab = await FakeGitlab.open({ hasStorage: true });
  gitlab.tokens.set(TOKEN, { role: 'reporter', scope: 'read_api' });
  await using shop = await Shop.create({
    port: await freePort(),
    instances: 2,
    verify: { canary: false, stable: 0, for: 0, bake: 0, noData: 'smoke', smoke: '/checkout' },
    group: {
      source: {
        type: 'gitlab',
        url: gitlab.url,
        project: gitlab.project,
        job: 'build',
        token: { command: ['echo', TOKEN] },
      },
    },
  });
  const { rig } = shop;
  await shop.spec(); // writes the configuration that the command reads
  const release = (commit: string) => rig.cli('release', 'shop', '--commit', commit);
  const pids = async (): Promise<(number | null)[]> =>
    (await rig.service('shop')).instances.map(({ pid }) => pid);

  const first = makeBuild(shop.builds, '1.0.0');
  publish(gitlab, { id: 800, pipeline: 90, name: 'build', archive: zipOf(first) }, first.commit);
  assert.equal((await release(first.commit)).code, 0);
  await using load = new Load(shop.port);
  const before = await pids();

  const second = makeBuild(shop.builds, '1.1.0');
  const expiresAt = new Date(Date.now() - 3.2 * DAY_MS).toISOString();
  publish(gitlab, { id: 812, pipeline: 98, name: 'build', archive: null, expiresAt }, second.commit);
  publish(gitlab, { id: 901, pipeline: 99, name: 'lint' }, second.commit);
  const refused = await release(second.commit);
  assert.equal(refused.code, 5);
  const said = `${refused.stdout}${refused.stderr}`;
  assert.match(said, /no job "build" of commit [0-9a-f]{8} has an archive in web\/shop on/);
  assert.match(
    said,
    /hint: job 812 "build" expired 3 days ago.*newer pipeline 99 has no job "build"; re-run job 812: http/,
  );
  assert.match(said, /^98 +push +build \(job 812\) .* expired 3 days ago/m, 'the table of candidates');
  assert.match(said, /Release 2 of shop failed: what served before serves on/);
  assert.deepEqual(await pids(), before);
  const { stdout: report } = await rig.cli('release', 'report', '2');
  assert.match(report, /## What went wrong\n\n.*no job "build"/);

  // a2: retried in its pipeline; a4: fetched from a storage that must not see the token.
  gitlab.jobs.push({ id: 989, pipeline: 98, name: 'build', archive: zipOf(second) });
  assert.equal((await release(second.commit)).code, 0);
  assert.match(await visit(shop.port), /1\.1\.0/);
  assert.ok(gitlab.storage.heard.length > 0);
  assert.ok(gitlab.storage.heard.every((heard) => !JSON.stringify(heard).includes(TOKEN)));

  // a3: expired by its date, and still there.
  const third = makeBuild(shop.builds, '1.2.0');
  publish(gitlab, { id: 995, pipeline: 101, name: 'build', archive: zipOf(third), expiresAt }, third.commit);
  assert.equal((await release(third.commit)).code, 0);
  assert.match(await visit(shop.port), /1\.2\.0/);

  await gitlab.server.close();
  assert.equal((await rig.cli('rollback', 'shop', '--to', '1.0.0')).code, 0);
  assert.match(await visit(shop.port), /1\.0\.0/);
  assert.deepEqual(load.failures, []);
  assert.ok(!said.includes(TOKEN) && !report.includes(TOKEN));
});

function publish(gitlab: FakeGitlab, job: FakeJob, sha: string): void {
  gitlab.pipelines.push({ id: job.pipeline, sha });
  gitlab.jobs.push(job);
}

function zipOf({ root }: Build): Buffer {
  return zip(readdirSync(root).map((name) => ({ name, content: readFileSync(join(root, name), 'utf8') })));
}
