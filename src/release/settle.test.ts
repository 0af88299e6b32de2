import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BARE_SPEC } from '../core/index.js';
import type { CheckSpec, ServiceSpec } from '../protocol/index.js';
import { settle, settleSmoke } from './settle.js';

const CURRENT = '/srv/web/current';
const RELEASE = '/srv/web/12-1.4.0-abc1234';
const command: CheckSpec = { on: 'command', argv: ['node', `${CURRENT}/check.js`] };

const SPEC: ServiceSpec = {
  ...BARE_SPEC,
  script: `${CURRENT}/server.js`,
  argv: ['/usr/bin/node', `--require=${CURRENT}/trace.js`, `${CURRENT}/server.js`],
  cwd: CURRENT,
  env: {
    PATH: { value: `${CURRENT}/node_modules/.bin:/usr/bin:${CURRENT}/bin`, source: 'env' },
    NODE_OPTIONS: { value: `--import file://${CURRENT}/hooks.mjs`, source: 'env' },
    OTHER: { value: `/mnt${CURRENT}/x ${CURRENT}-old/x`, source: `${CURRENT}/upkeep.config.ts` },
  },
  envFiles: [`${CURRENT}/.env`],
  secrets: { A: { file: `${CURRENT}/key` }, B: { command: ['sops', `${CURRENT}/b.yml`] } },
  sockets: { ...BARE_SPEC.sockets, paths: [`${CURRENT}/http.sock`] },
  ready: { on: 'check', check: command, timeoutMs: 1 },
  health: {
    check: command,
    intervalMs: 100,
    timeoutMs: 1,
    failures: 1,
    successes: 1,
    startPeriodMs: 0,
    action: 'none',
    certificateMs: null,
  },
  reload: { ...BARE_SPEC.reload, verify: { check: command, timeoutMs: 1 } },
  watch: { paths: [`${CURRENT}/src`], ignore: [`${CURRENT}/src/tmp`], delayMs: 1 },
  release: { group: 'web', folder: '/srv/web' },
};

test('a settled service has nothing that leads through current, wherever it stood', () => {
  const settled = settle(SPEC, CURRENT, RELEASE);
  assert.equal(settled.script, `${RELEASE}/server.js`);
  assert.deepEqual(settled.argv.slice(1), [`--require=${RELEASE}/trace.js`, `${RELEASE}/server.js`]);
  assert.equal(settled.cwd, RELEASE);
  assert.equal(settled.env['PATH']?.value, `${RELEASE}/node_modules/.bin:/usr/bin:${RELEASE}/bin`);
  assert.equal(settled.env['NODE_OPTIONS']?.value, `--import file://${RELEASE}/hooks.mjs`);
  assert.ok(!JSON.stringify({ ...settled, env: {} }).includes(CURRENT));
});

test('so has a smoke check', () => {
  const smoke = [{ service: 'web', check: command, timeoutMs: 1 }];
  const [settled] = settleSmoke(smoke, CURRENT, RELEASE);
  assert.deepEqual(settled!.check, { on: 'command', argv: ['node', `${RELEASE}/check.js`] });
});

test('a path that only looks like it stays, and so does where a value came from', () => {
  assert.deepEqual(settle(SPEC, CURRENT, RELEASE).env['OTHER'], SPEC.env['OTHER']);
});

test('a service that does not mention it stays as it is, also where the path holds what an expression would read', () => {
  assert.deepEqual(settle(BARE_SPEC, CURRENT, RELEASE), BARE_SPEC);
  const odd = '/srv/a+b (1)/$&/current';
  assert.equal(settle({ ...BARE_SPEC, cwd: `${odd}/x` }, odd, '/r/$1').cwd, '/r/$1/x');
});

test('whatever the paths are, a settled service is the one that was written with the folder of the release', () => {
  const part = fc.stringMatching(/^[\w$.+()\-\\[\]{}^|]{1,8}$/).filter((text) => !text.includes('current'));
  const folder = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const below = fc.array(part, { maxLength: 3 }).map((parts) => parts.map((each) => `/${each}`).join(''));
  fc.assert(
    fc.property(folder, part, fc.array(below, { minLength: 1, maxLength: 4 }), (root, name, paths) => {
      const written = (base: string): ServiceSpec => ({
        ...BARE_SPEC,
        script: `${base}${paths[0]!}`,
        argv: ['node', ...paths.map((path) => `${base}${path}`), '/etc/hosts'],
        cwd: base,
        env: { LIST: { value: paths.map((path) => `${base}${path}`).join(':'), source: 'env' } },
      });
      const release = `${root}/${name}`;
      const settled = settle(written(`${root}/current`), `${root}/current`, release);
      assert.deepEqual(settled, written(release));
      assert.deepEqual(settle(settled, `${root}/current`, release), settled);
    }),
  );
});
