/** What a program crashed by is part of its exit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import { app, Rig } from '../rig/index.js';

const WORDS =
  /TypeError: Cannot read properties of undefined \(reading 'models'\) \(throws-when-told\.cjs:4\)/;
const service = {
  script: app('throws-when-told.cjs'),
  restart: 'never' as const,
  ports: [],
} satisfies ServiceConfig;

test('list, show and events say by which error a program crashed', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { ...service, env: { NOW: '1' } } });
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.equal(exit!.error?.type, 'TypeError');
  assert.equal(exit!.reason, 'exit code 1');
  for (const command of [['list'], ['show', 'api'], ['events']] as const) {
    const { stdout } = await rig.cli(...command);
    assert.match(stdout, WORDS, command[0]);
  }
});

test('what a program was told in confidence is not told when it is quoted, also by the next daemon', async () => {
  await using rig = await Rig.create();
  rig.write('.dsn', 'postgres://app:hunter-secret-2@db/shop\n');
  const script = rig.write(
    'tells-secrets.cjs',
    `
    console.log('connecting to', process.env.DSN);
    process.on('SIGUSR2', () => {
      console.error('api key is', process.env.API_KEY);
      throw new Error(\`no entry for app with \${new URL(process.env.DSN).password}\`);
    });
    setInterval(() => undefined, 1000);
    `,
  );
  const telling = { script, restart: 'never' as const, secrets: { DSN: { file: '.dsn' } }, ports: [] };
  await rig.up({
    a: { ...telling, env: { API_KEY: 'key-of-nobody' } },
    b: { ...telling, env: { API_KEY: 'key-of-nobody' } },
  });
  const pids = await Promise.all(
    ['a', 'b'].map(async (name) => {
      await rig.untilLogged(name, 'connecting');
      return (await rig.untilInstance(name, ({ pid }) => pid !== null)).pid!;
    }),
  );
  process.kill(pids[0]!, 'SIGUSR2');
  await rig.untilInstance('a', ({ status }) => status === 'completed');
  await rig.killDaemon();
  process.kill(pids[1]!, 'SIGUSR2');
  await rig.until('it is gone', () => !rig.lives(pids[1]!));
  await rig.startDaemon();
  await rig.untilInstance('b', ({ status }) => status === 'completed');
  await rig.until('the errors of both are known', async () => {
    const { kinds } = await rig.client.call('errors');
    return new Set(kinds.map((kind) => kind.service)).size === 2;
  });
  const [kind] = (await rig.client.call('errors')).kinds;
  const names = ['show a', 'show b', 'why a', 'why b', 'events', 'list', 'errors', `errors ${kind!.id}`];
  for (const command of names.map((words) => words.split(' '))) {
    const { stdout } = await rig.cli(...command);
    assert.doesNotMatch(stdout, /hunter-secret-2|key-of-nobody/, command.join(' '));
  }
  for (const name of ['a', 'b'])
    assert.match((await rig.cli('show', name)).stdout, /no entry for app with \*\*\*/, name);
});

test('a program that crashes while no daemon lives has its reason with the next one', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: service });
  const { pid } = await rig.untilInstance('api', ({ pid: of }) => of !== null);
  await rig.untilLogged('api', 'waits');
  await rig.killDaemon();
  process.kill(pid!, 'SIGUSR2');
  await rig.until('it is gone', () => !rig.lives(pid!));
  await rig.startDaemon();
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.equal(exit!.error?.at, 'throws-when-told.cjs:4');
});
