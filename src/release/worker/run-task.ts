/**
 * Performs a stage, or what belongs to one, in a child process. It reads archives and configuration of others and runs their installers: none of that is the
 * daemon's memory, time or environment. The child gives up when its stdin ends, which it does with the daemon, too.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ERRORS, UpkeepError, type ErrorCode } from '../../protocol/index.js';
import { packageRoot } from '../../system/index.js';
import type { StageContext, StageJob, StageResult } from '../job.js';
import type { TaskName, WorkerFailure, WorkerJob, WorkerMessage } from './message.js';

/** What installers, git and the commands that read secrets need of the daemon's environment. */
const PASSED_ON =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|SSH_AUTH_SOCK|(?:https?|no|all)_proxy|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS|CREDENTIALS_DIRECTORY|XDG_\w+)$/i;
const MAX_WORDS = 2000;

export async function runTask(task: TaskName, job: StageJob, context: StageContext): Promise<StageResult> {
  context.signal.throwIfAborted();
  const child = spawn(process.execPath, ['--no-warnings', join(packageRoot(), 'dist', 'release-worker.js')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
  });
  const end = (): void => void child.stdin.end(); // it gives up, and clears away
  context.signal.addEventListener('abort', end, { once: true });
  try {
    child.stdin.on('error', () => undefined); // its end tells why
    // Not in its own environment, which git, hooks and checks would inherit.
    const told = task === 'install' ? { ...job, environment: process.env } : job;
    child.stdin.write(`${JSON.stringify({ task, job: told } satisfies WorkerJob)}\n`);
    const last = await followToEnd(child, context);
    if ('done' in last) return last.done;
    context.signal.throwIfAborted();
    throw toError(last.failed);
  } finally {
    context.signal.removeEventListener('abort', end);
  }
}

type LastMessage = Extract<WorkerMessage, { done: unknown } | { failed: unknown }>;

function followToEnd(child: ChildProcess, { say, note }: StageContext): Promise<LastMessage> {
  let last: LastMessage | undefined;
  let words = '';
  child.stderr!.on(
    'data',
    (bytes: Buffer) => (words = `${words}${bytes.toString('utf8')}`.slice(-MAX_WORDS)),
  );
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const message = JSON.parse(line) as WorkerMessage;
    if ('say' in message) say(message.say);
    else if ('note' in message) note(message.note);
    else last = message;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (last) return resolve(last);
      const why = words.trim().split('\n').at(-1) || `it ended with ${signal ?? `code ${code}`}`;
      const message = `the process that does the work has ended: ${why}`;
      resolve({ failed: { code: 'release-failed', message, hint: 'try again; see whether memory ran out' } });
    });
  });
}

function toError({ code, message, hint, lines }: WorkerFailure): UpkeepError {
  const known = code in ERRORS ? (code as ErrorCode) : 'internal';
  return new UpkeepError(known, message, { hint, ...(lines ? { details: { lines } } : {}) });
}
