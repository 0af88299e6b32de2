/** The child that extracts: reads a job from stdin, says how it ended, and gives up when stdin does: whoever asked is gone. */
import { createInterface } from 'node:readline';
import { UpkeepError } from '../../protocol/index.js';
import type { Answer } from './extract-archive.js';
import { extract, type ExtractJob } from './extract.js';

const gone = new AbortController();
createInterface({ input: process.stdin })
  .once('line', (line) => void work(JSON.parse(line) as ExtractJob))
  .once('close', () => gone.abort());

async function work(job: ExtractJob): Promise<void> {
  try {
    say({ done: await extract(job, gone.signal) });
  } catch (error) {
    say({ failed: toFailure(error) });
  }
  process.stdin.destroy();
}

function toFailure(error: unknown): Extract<Answer, { failed: unknown }>['failed'] {
  if (!(error instanceof UpkeepError)) return { code: 'internal', message: String((error as Error).stack) };
  const { code, message, hint, details } = error;
  return { code, message, hint, details };
}

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
