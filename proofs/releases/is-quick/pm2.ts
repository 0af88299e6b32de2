/** PM2 in a home of its own, for the two ways that build on it. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { install } from '../../port/support/install.js';

const run = promisify(execFile);

export interface Pm2 extends AsyncDisposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Its output; an exit code other than 0 is no error here: the tool says what it thinks, the load what is so. */
  command(...args: readonly string[]): Promise<string>;
}

export async function startPm2(folder: string, env: Readonly<Record<string, string>>): Promise<Pm2> {
  const bin = join(await install({ source: 'behind-nginx/pm2' }), 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  const { PATH = '', HOME = folder } = process.env;
  const all = { PATH: `${bin}:${PATH}`, HOME, LANG: 'C.UTF-8', PM2_HOME: join(folder, 'pm2'), ...env };
  const command = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run(join(bin, 'pm2'), [...args], {
      cwd: folder,
      env: all,
      timeout: 120_000,
    }).catch((error: { stdout: string; stderr: string }) => error);
    return `${stdout}${stderr}`;
  };
  return { folder, env: all, command, [Symbol.asyncDispose]: async () => void (await command('kill')) };
}
