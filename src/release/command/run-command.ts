/** Runs one command of a release and sees it to its end, with everything that it started in its group. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { killGroup, whyUnrunnable } from '../../system/index.js';
import { deferred, formatDuration, maskCommand, quote } from '../../util/index.js';
import { CommandOutput } from './command-output.js';
import type { Environment } from './environment.js';
import { COMMAND_ID, endAll } from './leftovers.js';
import type { Mask } from './mask.js';

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2000;
/** How long output may still come from what has left the group. */
const CLOSE_MS = 1000;

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Where all that it prints is added, masked. */
  readonly log: string;
  readonly mask: Mask;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

export interface CommandEnd {
  /** null: it has succeeded. `it exited with code 3`. */
  readonly failure: string | null;
  readonly hint?: string | undefined;
  /** Masked. */
  readonly lastLines: readonly string[];
}

/** As it may be shown. */
export function showCommand(argv: readonly string[], mask: Mask): string {
  return maskCommand(mask(argv.map(quote).join(' ')));
}

/** Rejects only where it was given up by `signal`; then, too, nothing of it lives any more. */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const { argv, cwd, env, signal } = command;
  signal.throwIfAborted();
  const unrunnable = whyUnrunnable(argv[0]!, cwd, env.PATH);
  if (unrunnable) return { failure: unrunnable.fact, hint: unrunnable.hint, lastLines: [] };
  const output = new CommandOutput(command.log, command.mask, command.onLine);
  output.say(`${new Date().toISOString()} ${showCommand(argv, command.mask)}`);
  try {
    const failure = await runToEnd(command, output);
    signal.throwIfAborted();
    output.say(failure ?? 'it succeeded');
    return { failure, lastLines: output.lastLines };
  } finally {
    output.close();
  }
}

async function runToEnd(
  { argv, cwd, env, timeoutMs, signal }: Command,
  output: CommandOutput,
): Promise<string | null> {
  const mark = randomUUID();
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd,
    env: { ...env, [COMMAND_ID]: mark },
    detached: true, // a group of its own
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Buffer) => output.take('out', chunk));
  child.stderr.on('data', (chunk: Buffer) => output.take('err', chunk));
  const closed = once(child, 'close').catch(() => undefined);
  const { reason, stop } = endWhen(child, timeoutMs, signal);
  try {
    const end = await endOf(child);
    if (reason.is !== null || end !== null) await endAll(`${COMMAND_ID}=${mark}`);
    return reason.is ?? end;
  } finally {
    stop();
    killGroup(child.pid); // what it left; its number cannot be another group's within this turn
    await Promise.race([closed, wait(CLOSE_MS)]);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function endOf(child: ChildProcess): Promise<string | null> {
  const { promise, resolve } = deferred<string | null>();
  child.once('error', (error) => resolve(`it cannot be executed: ${error.message}`));
  child.once('exit', (code, signal) => {
    killGroup(child.pid);
    if (signal !== null) resolve(`it was ended by ${signal}`);
    else resolve(code === 0 ? null : `it exited with code ${code}`);
  });
  return promise;
}

/** SIGTERM and then SIGKILL for its group, when time is up or nobody wants it any more. */
function endWhen(
  child: ChildProcess,
  timeoutMs: number,
  signal: AbortSignal,
): { reason: { is: string | null }; stop: () => void } {
  const reason: { is: string | null } = { is: null };
  let killing: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    reason.is ??= why;
    killGroup(child.pid, 'SIGTERM');
    killing ??= setTimeout(() => killGroup(child.pid), GRACE_MS);
  };
  const timer = setTimeout(
    () => end(`it was not done after ${formatDuration(timeoutMs)}, and was ended`),
    timeoutMs,
  );
  const giveUp = (): void => end('it was given up');
  signal.addEventListener('abort', giveUp, { once: true });
  const stop = (): void => {
    clearTimeout(timer);
    clearTimeout(killing);
    signal.removeEventListener('abort', giveUp);
  };
  return { reason, stop };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
