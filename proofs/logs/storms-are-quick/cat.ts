/** Nobody: each writer is piped into `cat >file`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './peer.js';

export function cat(): Peer {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-storm-cat-'));
  const running: ChildProcess[] = [];
  return {
    name: 'cat',
    list: null,
    start(writers) {
      for (const { name, command } of writers) {
        const line = `"$@" | cat >"${join(folder, name)}"`;
        // A session of its own, as services have, too.
        running.push(spawn('/bin/sh', ['-c', line, 'sh', ...command], { detached: true, stdio: 'ignore' }));
      }
      return Promise.resolve();
    },
    processes: () => ({}),
    files: ({ name }) => [join(folder, name)],
    async stop() {
      for (const child of running) {
        const exited = once(child, 'exit');
        process.kill(-child.pid!, 'SIGKILL');
        await exited;
      }
      rmSync(folder, { recursive: true });
    },
  };
}
