/**
 * After a kill -9 of the daemon, crash, reload and scale of a service on a shared port still refuse nobody: as root, as
 * another user, and where nobody may take descriptors out of other processes (`pidfd_getfd`), as in many containers. It needs root, cc, and a package from npm.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install } from './support/install.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
assert.equal(process.getuid?.(), 0, 'it needs root, to be somebody else');
const kills = Math.max(4, Math.round(60 * Number(values.scale)));
const NOBODY = '65534';
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const source = 'outlives-the-daemon/forbid';
const forbid = join(await install({ source, build: 'cc -Wall -o forbid forbid.c' }), 'forbid');
const cwd = await install({ source: 'apps/express5' });
const visit = ['--import', 'tsx', join(import.meta.dirname, 'outlives-the-daemon/visit.ts')];

await run('root', []);
await run('another user', asNobody);
await run('another user, who must not take descriptors', [...asNobody, forbid]);

async function run(who: string, prefix: readonly string[]): Promise<void> {
  console.log(`\n${who}:`);
  const [command, ...args] = [...prefix, process.execPath, ...visit, cwd, String(kills)];
  const [code] = (await once(spawn(command, args, { stdio: 'inherit' }), 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
