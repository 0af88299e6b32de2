/** `upkeep top` on a terminal, which is a pipe here that says it is one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { CLI } from '../rig/paths.js';
import { Rig } from '../rig/index.js';

const TERMINAL = `for (const stream of [process.stdin, process.stdout]) stream.isTTY = true;
  Object.assign(process.stdin, { setRawMode() { return this; } });
  Object.assign(process.stdout, { columns: 100, rows: 24 });`;
const FRAME = '\x1b[H';

test('an open "top" starts no daemon: it says that there is none, until there is one', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const argv = ['--require', rig.write('terminal.cjs', TERMINAL), CLI, 'top'];
  const top = spawn(process.execPath, argv, { env: rig.env, cwd: join(rig.folder, 'app') });
  let shown = '';
  top.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const frame = (): string => stripVTControlCharacters(shown.split(FRAME).at(-1)!);
  await rig.until('it shows the service', () => /api +running/.test(frame()));

  await rig.killDaemon();
  await rig.until('it says that no daemon runs', () => frame().includes('none is running in'));
  await assert.rejects(rig.client.call('daemon'));

  await rig.startDaemon();
  await rig.until(
    'it shows the service again, and nothing else',
    () => /api +running/.test(frame()) && !frame().includes('none is running'),
  );
  top.stdin.write('q');
  assert.deepEqual(await once(top, 'exit'), [0, null]);
});
