/** Performs one task of a release, tells how it gets on, and ends. Where its stdin ends, whoever asked is gone: it gives up. */
import { createInterface } from 'node:readline';
import { UpkeepError } from '../../protocol/index.js';
import { withLock } from '../install/lock.js';
import type { StageResult } from '../job.js';
import type { WorkerFailure, WorkerJob, WorkerMessage } from './message.js';
import { TASKS } from './tasks.js';

const GIVE_UP_MS = 10_000;

const given = new AbortController();
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => void work(JSON.parse(line) as WorkerJob));
lines.once('close', () => {
  given.abort(new UpkeepError('aborted', 'Cannot go on: the release was given up'));
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GIVE_UP_MS).unref();
});

async function work({ task, job }: WorkerJob): Promise<void> {
  try {
    const perform = TASKS[task];
    if (!perform) throw new Error(`"${task}" is not done here`);
    const context = {
      say: (text: string) => say({ say: text }),
      note: (note: StageResult) => say({ note }),
      signal: given.signal,
    };
    // One of a daemon that was killed may be about to hear of it: what it makes, and clears away, has the same names.
    const folder = `${job.spec.folder} at work`;
    say({ done: await withLock(folder, given.signal, () => perform(job, context)) });
  } catch (error) {
    say({ failed: toFailure(error) });
  }
  lines.close();
  process.stdin.destroy();
}

function say(message: WorkerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function toFailure(error: unknown): WorkerFailure {
  if (error instanceof UpkeepError) {
    const { code, message, hint, details } = error;
    const lines = (details as { lines?: readonly string[] } | undefined)?.lines;
    return { code, message, hint, lines };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', message: `Internal error: ${text}` };
}
