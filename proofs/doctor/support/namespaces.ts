/** Runs a script as the first one of a machine of its own, which ends with it; see isolation.ts for what it has to do there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const NAMESPACES = ['--mount', '--pid', '--fork', '--mount-proc', '--net', '--kill-child'];

export interface Run {
  readonly code: number | null;
  /** Where it failed, with what it wrote to stderr. */
  readonly output: string;
}

/** The script gets the arguments and then a folder of its own. A shell reaps whatever is orphaned in the machine. */
export async function runAlone(script: string, args: readonly string[]): Promise<Run> {
  assert.equal(process.getuid?.(), 0, 'it needs root');
  const place = mkdtempSync(join(tmpdir(), 'upkeep-machine-'));
  const node = [process.execPath, '--import', 'tsx', script, ...args, place];
  const argv = [...NAMESPACES, '/bin/sh', '-c', '"$@"; exit $?', 'sh', ...node];
  try {
    const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, output: (code === 0 ? stdout : `${stdout}${stderr}`).trim() };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
