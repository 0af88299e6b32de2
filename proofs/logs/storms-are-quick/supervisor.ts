/** supervisord as Debian gives it; null where it is not installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, readProcess } from '../../../src/system/index.js';
import { until } from '../../../test/rig/index.js';
import type { Peer } from './peer.js';

export function supervisor(): Peer | null {
  if (spawnSync('supervisord', ['--version']).error) return null;
  const home = mkdtempSync(join(tmpdir(), 'upkeep-storm-supervisor-'));
  const config = join(home, 'supervisord.conf');
  mkdirSync(join(home, 'logs'));
  const control = ['supervisorctl', '-c', config];
  let daemon = 0;
  return {
    name: 'supervisord',
    list: { argv: [...control, 'status'], env: process.env },
    async start(writers) {
      writeFileSync(
        config,
        [SETUP(home), ...writers.map(({ name, command }) => program(name, command))].join('\n'),
      );
      execFileSync('supervisord', ['-c', config], { stdio: 'ignore' });
      daemon = await until('supervisord runs', () => readPid(join(home, 'pid')));
    },
    processes: () => ({ daemon: [daemon] }),
    files({ name }) {
      const folder = join(home, 'logs');
      return readdirSync(folder)
        .filter((file) => file.startsWith(`${name}-stdout`))
        .map((file) => join(folder, file));
    },
    async stop() {
      const row = readProcess(daemon);
      if (row) process.kill(daemon, 'SIGTERM');
      await until('supervisord has ended', () => (row && isAlive(row) ? undefined : true));
      rmSync(home, { recursive: true });
    },
  };
}

const SETUP = (home: string): string => `[supervisord]
pidfile=${home}/pid
logfile=${home}/log
childlogdir=${home}/logs
[unix_http_server]
file=${home}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${home}/sock`;

function program(name: string, command: readonly string[]): string {
  return `[program:${name}]\ncommand=${command.join(' ')}\nstdout_logfile_maxbytes=0\nstopwaitsecs=1`;
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined; // not yet
  }
}
