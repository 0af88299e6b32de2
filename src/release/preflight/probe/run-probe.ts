/** Runs the child that loads code of a release: as the user of the service, with its Node.js, and not for long. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { formatDuration } from '../../../util/index.js';
import { canRead, killGroup, packageRoot, type Credentials } from '../../../system/index.js';
import type { ProbeLine, ProbeTask } from './task.js';

const PATIENCE_MS = 20_000;

export interface ProbeOptions {
  readonly node: string;
  readonly cwd: string;
  readonly user: Credentials | undefined;
  readonly signal: AbortSignal;
  /** @default 20 s */
  readonly patienceMs?: number;
  /** What Node.js reads when it begins. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface ProbeAnswer {
  readonly lines: readonly ProbeLine[];
  /** How it ended where it did not end by itself, in words; null: it said all that it had to say. */
  readonly died: string | null;
}

export function probePath(): string {
  return join(packageRoot(), 'dist', 'preflight-probe.cjs');
}

/** Why it cannot be run for a user; undefined: it can. */
export function whyNoProbe(user: Credentials | undefined): string | undefined {
  if (!user || canRead(probePath(), user)) return undefined;
  return `user ${user.name} cannot read ${probePath()}`;
}

export async function runProbe(task: ProbeTask, options: ProbeOptions): Promise<ProbeAnswer> {
  const { node, cwd, user, signal, patienceMs = PATIENCE_MS, env } = options;
  signal.throwIfAborted();
  const child = spawn(node, [probePath()], {
    cwd,
    // What the code prints may quote values: nobody hears it.
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: user?.homeFolder ?? process.env['HOME'], ...env },
    detached: true,
    ...asUser(user),
  });
  const end = (): void => killGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  return new Promise((resolve, reject) => {
    let said = '';
    let died: string | null = null;
    const timer = setTimeout(() => {
      died = `did not end within ${formatDuration(patienceMs)}`;
      end();
      child.stdio[3]?.destroy(); // of whoever has left its group
    }, patienceMs);
    (child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stdin!.on('error', () => undefined); // its end tells why
    child.stdin!.end(JSON.stringify(task));
    child.once('error', (error: NodeJS.ErrnoException) => {
      died = `cannot be run (${error.code ?? error.message})`;
    });
    child.once('exit', (code, by) => {
      // SIGKILL is its own end, when all is said.
      if (by !== 'SIGKILL') died ??= `ended with ${by ?? `exit code ${code ?? 0}`}`;
      end(); // what it has started
    });
    child.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) return reject(signal.reason as Error);
      const lines = said.split('\n').slice(0, -1);
      resolve({ lines: lines.map((line) => JSON.parse(line) as ProbeLine), died });
    });
  });
}

/** Only root can become somebody else. */
export function asUser(user: Credentials | undefined): { uid?: number; gid?: number } {
  return user && process.getuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {};
}
