/** PM2 as npm gives it, in a folder of its own (AGPL: run, never read). */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './peer.js';

const VERSION = '7.0.4';
const FOLDER = process.env['UPKEEP_PROOF_PM2'] ?? join(tmpdir(), `upkeep-proof-pm2-${VERSION}`);

export function pm2(): Peer {
  const program = install();
  const home = mkdtempSync(join(tmpdir(), 'upkeep-storm-pm2-'));
  const env = { PATH: process.env['PATH'], HOME: home, PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: '1' };
  const run = (...args: string[]): unknown =>
    execFileSync(process.execPath, [program, ...args], { env, stdio: 'ignore' });
  run('ping');
  const daemon = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  return {
    name: 'PM2',
    list: { argv: [process.execPath, program, 'list'], env },
    start(writers) {
      const apps = writers.map(({ name, command: [script, ...args] }) => ({
        ...{ name, script, args, interpreter: 'none' },
        ...(script === process.execPath && { script: args[0], args: args.slice(1), interpreter: script }),
      }));
      writeFileSync(join(home, 'apps.json'), JSON.stringify({ apps }));
      run('start', join(home, 'apps.json'));
      return Promise.resolve();
    },
    processes: () => ({ daemon: [daemon] }),
    files({ name }) {
      const folder = join(home, 'logs');
      return readdirSync(folder)
        .filter((file) => file.startsWith(`${name}-out`))
        .map((file) => join(folder, file));
    },
    stop() {
      run('kill');
      rmSync(home, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

function install(): string {
  const program = join(FOLDER, 'node_modules/pm2/bin/pm2');
  if (existsSync(program)) return program;
  mkdirSync(FOLDER, { recursive: true });
  const args = ['install', '--silent', '--no-save', '--no-audit', '--no-fund', '--prefix', FOLDER];
  execFileSync('npm', [...args, `pm2@${VERSION}`], { stdio: 'ignore' });
  return program;
}
