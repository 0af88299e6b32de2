import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as v from 'valibot';
import { ServiceSpec } from '../protocol/index.js';
import { formatDiagnostics, specFromCommandLine, type CommandLine } from './index.js';

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-command-line-')));
after(() => rmSync(cwd, { recursive: true }));
writeFileSync(join(cwd, 'server.js'), '');
writeFileSync(join(cwd, 'my server.js'), '');

const shellEnv = {
  PATH: process.env['PATH'],
  EDITOR: 'vi',
  npm_lifecycle_event: 'x',
  UPKEEP_HOME: '/x',
  PWD: '/x',
  SHLVL: '1',
  _: 'x',
};

async function spec(line: CommandLine): Promise<ServiceSpec> {
  const result = await specFromCommandLine(line, { cwd, shellEnv, nodePath: '/opt/node' });
  if (!result.ok) assert.fail(formatDiagnostics(result.diagnostics));
  return v.parse(ServiceSpec, result.services[0]);
}

async function refusal(line: CommandLine): Promise<string> {
  const result = await specFromCommandLine(line, { cwd, shellEnv });
  assert.ok(!result.ok);
  return formatDiagnostics(result.diagnostics);
}

test('a script is named after its file', async () => {
  const { name, argv, script, origin } = await spec({ target: 'server.js', args: ['--x', '1'] });
  assert.equal(name, 'server');
  assert.equal(script, join(cwd, 'server.js'));
  assert.deepEqual(argv, ['/opt/node', join(cwd, 'server.js'), '--x', '1']);
  assert.deepEqual(origin, { file: null, profile: null });
});

test('a file with blanks in its name is a script, other text with blanks a command', async () => {
  assert.equal((await spec({ target: 'my server.js' })).name, 'my-server');
  const { name, argv, script } = await spec({ target: 'sleep 60' });
  assert.equal(name, 'sleep');
  assert.equal(script, null);
  assert.match(argv.join(' '), /^\/.*\/sleep 60$/);
});

test('a program in PATH is a command', async () => {
  const { argv } = await spec({ target: 'sleep', args: ['60'] });
  assert.deepEqual(argv.slice(1), ['60']);
});

test('--shell runs the target in a shell as it is', async () => {
  assert.deepEqual((await spec({ target: 'sleep 60', shell: true })).argv, ['/bin/sh', '-c', 'sleep 60']);
});

test('the whole shell is inherited, but not what belongs to the shell itself', async () => {
  const { env } = await spec({ target: 'server.js', env: { PORT: '3000', EDITOR: 'ed' } });
  assert.deepEqual(env, {
    PATH: { value: shellEnv.PATH, source: 'shell' },
    EDITOR: { value: 'ed', source: 'option' },
    PORT: { value: '3000', source: 'option' },
  });
});

test('options find their places in the specification', async () => {
  const service = await spec({
    target: 'server.js',
    name: 'api',
    instances: 2,
    ports: [3000],
    restart: 'on-failure',
    memory: '1GB',
    cron: '0 4 * * *',
    killScope: 'process',
    grace: '3s',
    signal: 'hup',
    user: 'root:root',
    interpreterArgs: '--inspect',
  });
  assert.equal(service.name, 'api');
  assert.equal(service.instances, 2);
  assert.equal(service.ready.on, 'check');
  assert.equal(service.restart.policy, 'on-failure');
  assert.equal(service.limits.memoryBytes, 1024 ** 3);
  assert.equal(service.schedule?.restart, '0 4 * * *');
  assert.deepEqual(service.stop, {
    signal: 'SIGHUP',
    drainMs: 10_000,
    graceMs: 3000,
    message: false,
    killScope: 'process',
  });
  assert.deepEqual([service.user, service.group], ['root', 'root']);
  assert.deepEqual(service.argv.slice(0, 2), ['/opt/node', '--inspect']);
});

test('what is wrong is said with the option that it was given with', async () => {
  const text = await refusal({
    target: 'server.js',
    memory: 'lots',
    restart: 'alway',
    grace: '-1s',
    name: 'all',
    ports: [0],
  });
  assert.match(text, /^--memory: "lots" is not a size$/m);
  assert.match(text, /^--restart: "alway" is not a known restart$/m);
  assert.match(text, /^--grace: "-1s" is negative$/m);
  assert.match(text, /^--name: "all" is not allowed/m);
  assert.match(text, /^--port: 0 is not a port$/m);
});

test('a file that is missing is named with the one that was meant', async () => {
  const text = await refusal({ target: 'sever.js' });
  assert.match(text, /^target: "sever.js" does not exist/);
  assert.match(text, /did you mean "server.js"\?/);
});

test('a word that is neither file nor program is refused', async () => {
  assert.match(
    await refusal({ target: 'no-such-program' }),
    /^target: "no-such-program" is not found in PATH/,
  );
});
