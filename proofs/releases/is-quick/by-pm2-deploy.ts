/**
 * As PM2's manual has it: `pm2 deploy`, by git and in place, with `pm2 reload` after it. It speaks to hosts by ssh; here a script of that name
 * runs the command on this host, so no network and no handshake is counted against it.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isListening, until } from '../../../test/rig/index.js';
import type { Build } from '../../../test/rig/index.js';
import { startPm2 } from './pm2.js';
import type { Way } from './way.js';

const run = promisify(execFile);
/** Options of ssh take a value each; after the host comes the command. */
const SSH = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in -o|-i|-p|-l) shift 2 ;; -*) shift ;; *) break ;; esac
done
shift
if [ $# -gt 0 ]; then exec /bin/bash -c "$*"; else exec /bin/bash; fi
`;

export async function byPm2Deploy(folder: string, port: number, instances: number): Promise<Way> {
  const tools = join(folder, 'tools');
  const origin = join(folder, 'origin');
  mkdirSync(tools, { recursive: true });
  mkdirSync(origin);
  writeFileSync(join(tools, 'ssh'), SSH, { mode: 0o755 });
  const git = (...args: string[]): Promise<unknown> =>
    run(
      'git',
      ['-c', 'user.name=ci', '-c', 'user.email=ci@example.com', '-c', 'init.defaultBranch=main', ...args],
      { cwd: origin },
    );
  await git('init', '-q');
  const pm2 = await startPm2(folder, { PORT: String(port) });
  const env = { ...pm2.env, PATH: `${tools}:${pm2.env['PATH']}` };
  const path = join(folder, 'deployed');
  const app = { name: 'shop', script: './server.cjs', instances, exec_mode: 'cluster' };
  const production = {
    user: 'me',
    host: ['localhost'],
    ref: 'origin/main',
    repo: origin,
    path,
    'post-deploy': 'pm2 startOrReload ecosystem.config.cjs',
  };
  const config = `module.exports = ${JSON.stringify({ apps: [app], deploy: { production } })};`;
  const deploy = (...args: string[]): Promise<unknown> =>
    run('pm2', ['deploy', 'ecosystem.config.cjs', 'production', ...args], {
      cwd: origin, // it wants to be asked in a checkout without changes
      env,
      timeout: 120_000,
    }).catch((error: unknown) => error);
  const commit = async ({ archive, version }: Build): Promise<void> => {
    const unpacked = join(dirname(archive), `shop-${version}`);
    for (const name of readdirSync(unpacked)) copyFileSync(join(unpacked, name), join(origin, name));
    writeFileSync(join(origin, 'ecosystem.config.cjs'), config);
    await git('add', '-A');
    await git('commit', '-q', '--allow-empty', '-m', version);
  };
  let isSetUp = false;
  return {
    name: 'pm2 deploy',
    port,
    release: async (build) => {
      await commit(build);
      if (!isSetUp) await deploy('setup');
      await deploy();
      if (!isSetUp) await until('the shop listens', () => isListening(port));
      isSetUp = true;
    },
    rollback: async () => void (await deploy('revert', '1')),
    [Symbol.asyncDispose]: () => pm2[Symbol.asyncDispose](),
  };
}
