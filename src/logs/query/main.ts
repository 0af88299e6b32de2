/**
 * A child of the daemon for one question (see ask.ts): reads it from stdin, where it also hears that the daemon is gone, and
 * answers on stdout, which waits for whoever reads it.
 */
import { readSync, writeSync } from 'node:fs';
import { Answer } from './answer.js';
import { QUESTION_FORMAT, type LogQuestion } from './question.js';
import { reply } from './reply.js';

let end = (): void => undefined;
process.on('uncaughtException', fail);
const { format, question } = JSON.parse(readLine()) as { format: number; question: LogQuestion };
if (format !== QUESTION_FORMAT)
  throw new Error('upkeep on disk is of another version than the daemon: upkeep daemon upgrade');
const follow = reply(question, new Answer(1));
if (follow) {
  end = () => follow.end();
  process.stdin.on('end', () => end()).resume();
}

/** What comes after it is only the end. */
function readLine(): string {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    const length = readSync(0, part);
    parts.push(part.subarray(0, length));
    if (length === 0 || part[length - 1] === 0x0a) return Buffer.concat(parts).toString('utf8');
  }
}

function fail(error: Error): void {
  end();
  process.stdin.destroy();
  if ('code' in error && error.code === 'EPIPE') return; // nobody wants to know any more
  process.exitCode = 1;
  writeSync(2, error.stack ?? error.message);
}
