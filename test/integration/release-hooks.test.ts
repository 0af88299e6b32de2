import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BARE_SPEC } from '../../src/core/index.js';
import { UpkeepError } from '../../src/protocol/index.js';
import { runHooks } from '../../src/release/index.js';
import type { StageJob } from '../../src/release/job.js';
import { findByEnvironment } from '../../src/system/index.js';
import { until } from '../rig/index.js';
import { Listener, NO_HOOKS, ReleaseSite } from '../rig/release-job.js';

const TIMEOUT_MS = 60_000;

function jobWith(site: ReleaseSite, scripts: readonly string[], timeoutMs = TIMEOUT_MS): StageJob {
  const beforeSwitch = scripts.map((script) => ({ run: ['/bin/sh', '-c', script], timeoutMs }));
  const { build } = site.store({ name: 'a', content: '' });
  const job = site.job(
    '12',
    { build: { ...build, version: '2.4.1', commit: 'c0ffee1' } },
    { hooks: { ...NO_HOOKS, beforeSwitch } },
  );
  const previous = { id: '11', folder: join(site.folder, '11'), version: '2.4.0', commit: null };
  return { ...job, folder: site.folder, previous };
}

async function failure(job: StageJob, listener = new Listener()): Promise<UpkeepError> {
  const error: unknown = await runHooks('beforeSwitch', job, listener).catch((reason: unknown) => reason);
  assert.ok(error instanceof UpkeepError, String(error));
  return error;
}

test('a hook is told which release it is about, runs in its folder, and knows nothing else of upkeep', async (context) => {
  const site = new ReleaseSite(context);
  process.env.SOME_SECRET = 'planted-secret';
  process.env.UPKEEP_HOME = site.home;
  context.after(() => {
    delete process.env.SOME_SECRET;
    delete process.env.UPKEEP_HOME;
  });
  await runHooks('beforeSwitch', jobWith(site, ['pwd > where; env > told']), new Listener());
  const told = Object.fromEntries(
    readFileSync(join(site.folder, 'told'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as Record<string, string>;
  assert.equal(readFileSync(join(site.folder, 'where'), 'utf8').trim(), site.folder);
  const { build } = jobWith(site, []);
  const release = Object.entries(told).filter(
    ([key]) => key.startsWith('UPKEEP_') && !key.endsWith('COMMAND_ID'),
  );
  assert.deepEqual(Object.fromEntries(release), {
    UPKEEP_RELEASE: '12',
    UPKEEP_RELEASE_KIND: 'release',
    UPKEEP_RELEASE_GROUP: 'web',
    UPKEEP_RELEASE_FOLDER: site.folder,
    UPKEEP_RELEASE_PREVIOUS: join(site.folder, '11'),
    UPKEEP_RELEASE_COMMIT: 'c0ffee1',
    UPKEEP_RELEASE_VERSION: '2.4.1',
    UPKEEP_RELEASE_SHA256: build!.sha256,
    UPKEEP_RELEASE_STAGE: 'prepare',
    UPKEEP_RELEASE_WORKS_IN: site.folder,
  });
  assert.ok(told.PATH);
  assert.equal(told.SOME_SECRET, undefined);
});

test('the first hook that fails ends the rest, with its last lines', async (context) => {
  const site = new ReleaseSite(context);
  const listener = new Listener();
  const error = await failure(
    jobWith(site, [
      'echo one',
      'for i in $(seq 30); do echo line $i; done; echo gone wrong >&2; exit 7',
      'touch never',
    ]),
    listener,
  );
  assert.equal(error.code, 'release-refused');
  assert.match(error.message, /^Cannot pass hook beforeSwitch ".+" of release 12: it exited with code 7$/);
  const { lines, log } = error.details as { lines: string[]; log: string };
  assert.equal(lines.length, 20);
  assert.ok(lines.includes('line 30') && lines.includes('gone wrong'));
  assert.equal(error.hint, `all that it printed is in ${log}`);
  assert.match(readFileSync(log, 'utf8'), /^── .+\none\n── it succeeded\n── .+\nline 1\n/);
  assert.equal(listener.said.length, 2);
});

test('secrets are hidden in what a hook prints, wherever they stand', async (context) => {
  const site = new ReleaseSite(context);
  const job = jobWith(site, [
    'echo "connecting to postgres://app:hunter2@db/shop"; echo "key is planted-service-secret"; echo "API_TOKEN=planted-other"; printf "\\033[31mred\\033[0m\\n"; exit 1',
  ]);
  const env = { DB_PASSWORD: { value: 'planted-service-secret', source: 'shell' } };
  const error = await failure({ ...job, spec: { ...job.spec, services: [{ ...BARE_SPEC, env }] } });
  const { lines, log } = error.details as { lines: string[]; log: string };
  assert.deepEqual(lines, [
    'connecting to postgres://app:[hidden]@db/shop',
    'key is ***',
    'API_TOKEN=[hidden]',
    'red',
  ]);
  assert.doesNotMatch(
    readFileSync(log, 'utf8') + JSON.stringify([error.message, error.hint]),
    /hunter2|planted/,
  );
});

test('what the files of the services and of the source hold is hidden, too, also in Base64', async (context) => {
  const site = new ReleaseSite(context);
  const file = (name: string, text: string): string => {
    const path = join(site.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const services = [
    {
      ...BARE_SPEC,
      envFiles: [join(site.folder, 'current/.env'), join(site.folder, 'gone')],
      secrets: { DSN: { file: file('dsn', 'postgres://app:planted-password@db/shop\n') } },
    },
  ];
  const url = { file: file('url', 'https://builds.example.com/a.tgz?sig=planted-signature') };
  const sha256 = { url: 'https://builds.example.com/SUMS' };
  const source = {
    type: 'http' as const,
    url,
    sha256,
    headers: { 'x-key': { file: file('key', 'planted-header') } },
  };
  file('.env', 'API_KEY=planted-key\n');
  const job = jobWith(site, [
    'cat dsn url key; sed s/.*=// .env; echo; base64 dsn; cat dsn | base64 -w0; exit 1',
  ]);
  const error = await failure({ ...job, spec: { ...job.spec, services, source } });
  const { lines, log } = error.details as { lines: string[]; log: string };
  assert.equal(lines.length, 4, lines.join('\n'));
  for (const line of [...lines, ...readFileSync(log, 'utf8').split('\n')]) {
    const decoded = ['', 'A', 'AA', 'AAA'].map((shift) =>
      Buffer.from(`${shift}${line}`, 'base64').toString(),
    );
    assert.doesNotMatch([line, ...decoded].join(' '), /planted|password/, line);
  }
});

test('a hook that takes too long is ended with its group and with what has left it', async (context) => {
  const site = new ReleaseSite(context);
  const error = await failure(
    jobWith(site, ['setsid sleep 1000 & sleep 1000 & trap "" TERM; sleep 1000; sleep 1000'], 300),
  );
  assert.match(error.message, /: it was not done after 300 ?ms, and was ended$/);
  assert.deepEqual(findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${site.folder}`), []);
});

test('what a hook leaves in its group ends with it, and a service that it has started goes on', async (context) => {
  const site = new ReleaseSite(context);
  await runHooks(
    'beforeSwitch',
    jobWith(site, [
      'sleep 1000 & setsid sh -c "touch up; exec sleep 1001" > /dev/null 2>&1 & until [ -e up ]; do :; done',
    ]),
    new Listener(),
  );
  const living = await until('the one in the group has gone', () => {
    const rows = findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${site.folder}`);
    return rows.length <= 1 && rows;
  });
  assert.equal(living.length, 1);
  for (const { pid } of living) process.kill(pid, 'SIGKILL');
});

test('a hook that is given up ends at once', async (context) => {
  const site = new ReleaseSite(context);
  const listener = new Listener();
  const running = runHooks('beforeSwitch', jobWith(site, ['sleep 1000']), listener);
  const living = () => findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${site.folder}`).length;
  await until('it runs', () => living() > 0);
  listener.abort();
  await assert.rejects(running, { name: 'AbortError' });
  assert.equal(living(), 0);
});

test('a hook that is no program is named, and one for a failure runs where no release is left', async (context) => {
  const site = new ReleaseSite(context);
  const job = jobWith(site, []);
  const hook = { run: ['migrate-all'], timeoutMs: TIMEOUT_MS };
  const error = await failure({
    ...job,
    spec: { ...job.spec, hooks: { ...NO_HOOKS, beforeSwitch: [hook] } },
  });
  assert.equal(
    error.message,
    'Cannot pass hook beforeSwitch "migrate-all" of release 12: command "migrate-all" is not in PATH',
  );
  const onFailure = [
    { run: ['/bin/sh', '-c', 'echo $UPKEEP_RELEASE_STAGE > failed-at'], timeoutMs: TIMEOUT_MS },
  ];
  const gone = {
    ...job,
    folder: join(site.folder, '12-gone'),
    spec: { ...job.spec, hooks: { ...NO_HOOKS, onFailure } },
  };
  await runHooks('onFailure', gone, new Listener(), { stage: 'boot' });
  assert.equal(readFileSync(join(site.folder, 'failed-at'), 'utf8'), 'boot\n');
});

test('current in a hook stands for the release that is made', async (context) => {
  const site = new ReleaseSite(context);
  const job = jobWith(site, []);
  const folder = site.folder;
  const current = join(folder, 'current');
  const run = [
    '/bin/sh',
    '-c',
    `echo "$@ ${current}/x ${current}-old" > meant`,
    'sh',
    `${current}/migrate.js`,
    `--in=${current}`,
  ];
  await runHooks(
    'beforeSwitch',
    { ...job, spec: { ...job.spec, hooks: { ...NO_HOOKS, beforeSwitch: [{ run, timeoutMs: TIMEOUT_MS }] } } },
    new Listener(),
  );
  assert.equal(
    readFileSync(join(folder, 'meant'), 'utf8').trim(),
    `${folder}/migrate.js --in=${folder} ${folder}/x ${current}-old`,
  );
  rmSync(join(folder, 'meant'));
});

test('a hook of the host runs in the folder that it names', async (context) => {
  const site = new ReleaseSite(context);
  const job = jobWith(site, []);
  const hook = { run: ['/bin/sh', '-c', 'pwd > where'], timeoutMs: TIMEOUT_MS, cwd: site.home };
  const hooks = { ...NO_HOOKS, beforeSwitch: [hook] };
  await runHooks('beforeSwitch', { ...job, spec: { ...job.spec, hooks } }, new Listener());
  assert.equal(readFileSync(join(site.home, 'where'), 'utf8').trim(), site.home);
});
