/** Who runs the application behind nginx: upkeep, or PM2 as its manual says (cluster mode, pm2 reload). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assertSucceeded, isListening, type Rig, until } from '../../../test/rig/index.js';
import { install } from '../support/install.js';

const run = promisify(execFile);

export interface Assignment {
  /** Of upkeep, and a folder for whatever is needed. */
  readonly rig: Rig;
  readonly instances: number;
  readonly port: number;
  readonly accessLog: string;
}

export interface Manager extends AsyncDisposable {
  reload(): Promise<void>;
}

const SERVICE = 'shop';

export async function startUpkeep({ rig, instances, port, accessLog }: Assignment): Promise<Manager> {
  const cwd = await install({ source: 'apps/express5' });
  const env = { PORT: port, NODE_ENV: 'production', ACCESS_LOG: accessLog };
  // Crashes that are wanted are no crash loop, and wait for nothing.
  const restart = { delay: '1ms', maxDelay: '1ms', limit: 1_000_000 };
  const stop = { drain: '5s' };
  assertSucceeded(
    await rig.up({ [SERVICE]: { script: 'server.js', cwd, instances, port, env, restart, stop } }),
  );
  return {
    reload: async () => {
      const { code, stderr } = await rig.cli('reload', SERVICE);
      if (code !== 0) throw new Error(`upkeep reload exited with ${code}: ${stderr}`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(), // the rig ends it
  };
}

export async function startPm2({ rig, instances, port, accessLog }: Assignment): Promise<Manager> {
  const cwd = await install({ source: 'apps/express5' });
  const pm2 = join(await install({ source: 'behind-nginx/pm2' }), 'node_modules', '.bin', 'pm2');
  const env = {
    ...rig.env,
    PM2_HOME: join(rig.folder, 'pm2'),
    PORT: String(port),
    NODE_ENV: 'production',
    ACCESS_LOG: accessLog,
  };
  const command = (...args: string[]): Promise<unknown> => run(pm2, args, { cwd, env });
  await command(
    'start',
    'server.js',
    '--name',
    SERVICE,
    '-i',
    String(instances),
    '--max-restarts',
    '1000000',
  );
  await until('the application listens', () => isListening(port));
  return {
    reload: async () => void (await command('reload', SERVICE)),
    [Symbol.asyncDispose]: async () => void (await command('kill')),
  };
}
