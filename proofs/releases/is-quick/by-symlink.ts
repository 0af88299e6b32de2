/** As Capistrano does it: each release in a folder of its own, `current` leads to it, and the process manager is told to reload. */
import { execFile } from 'node:child_process';
import { mkdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isListening, until } from '../../../test/rig/index.js';
import type { Build } from '../../../test/rig/index.js';
import { startPm2 } from './pm2.js';
import type { Way } from './way.js';

const run = promisify(execFile);

export async function bySymlink(folder: string, port: number, instances: number): Promise<Way> {
  const pm2 = await startPm2(folder, { PORT: String(port) });
  const current = join(folder, 'current');
  const config = join(folder, 'ecosystem.config.cjs');
  const app = {
    name: 'shop',
    script: join(current, 'server.cjs'),
    cwd: current,
    instances,
    exec_mode: 'cluster',
  };
  writeFileSync(config, `module.exports = ${JSON.stringify({ apps: [app] })};`);
  let before: string | undefined;
  const lead = (release: string): void => {
    symlinkSync(release, `${current}.new`);
    renameSync(`${current}.new`, current);
  };
  return {
    name: 'symlink and pm2 reload',
    port,
    release: async ({ version, archive }: Build) => {
      const release = join(folder, 'releases', version);
      mkdirSync(release, { recursive: true });
      await run('tar', ['-xzf', archive, '-C', release, '--strip-components=1']);
      before = (await isListening(port)) ? readlinkSync(current) : undefined;
      lead(release);
      await pm2.command(before === undefined ? 'start' : 'reload', config);
      if (before === undefined) await until('the shop listens', () => isListening(port));
    },
    rollback: async () => {
      lead(before!);
      await pm2.command('reload', config);
    },
    [Symbol.asyncDispose]: () => pm2[Symbol.asyncDispose](),
  };
}
