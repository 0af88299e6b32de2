/**
 * The child that sends: reads a receiver and notices from stdin, says of each notice that it arrived or was refused, ends with the
 * first that could not be sent, and with the daemon: the end of stdin. The next one sends again what nobody has heard of.
 */
import { createInterface } from 'node:readline';
import type { AlertTarget, Notice } from '../../protocol/index.js';
import type { Word } from '../delivery.js';
import { run } from './command.js';
import { mail } from './email.js';
import { Refused } from './refused.js';
import { post } from './webhook.js';

/** Rejects where the receiver did not take it: with Refused where it will not take it either when it is asked again. */
export type Send = (notice: Notice) => Promise<void>;

interface Errand {
  readonly target: AlertTarget;
  readonly notices: readonly Notice[];
}

/** Then it is the receiver that is wrong, and not the notices. */
const MAX_REFUSED_IN_A_ROW = 3;

let isOver = false;
createInterface({ input: process.stdin })
  .once('line', (line) => void deliver(JSON.parse(line) as Errand))
  .once('close', () => {
    if (!isOver) process.kill(process.pid, 'SIGKILL'); // a receiver may hang
  });

async function deliver({ target, notices }: Errand): Promise<void> {
  try {
    const send = await open(target);
    let refused = 0;
    for (const notice of notices) {
      const why = await send(notice).then(() => undefined, wordRefusal);
      if (why === undefined) say({ done: notice.id });
      else say({ refused: notice.id, why });
      refused = why === undefined ? 0 : refused + 1;
      if (refused === MAX_REFUSED_IN_A_ROW) throw new Error(why);
    }
  } catch (error) {
    say({ failed: (error as Error).message });
    process.exitCode = 1;
  }
  isOver = true;
  process.stdin.destroy();
}

/** Throws what is no refusal. */
function wordRefusal(error: unknown): string {
  if (error instanceof Refused) return error.message;
  throw error;
}

function open(to: AlertTarget): Promise<Send> | Send {
  switch (to.via) {
    case 'webhook':
      return post(to);
    case 'command':
      return run(to);
    case 'email':
      return mail(to);
  }
}

function say(word: Word): void {
  process.stdout.write(`${JSON.stringify(word)}\n`);
}
