/**
 * The child that sends: reads a receiver and notices from stdin, says of each notice that it arrived, ends with the first that
 * did not, and with the daemon: the end of stdin. The next one sends again what nobody has heard of.
 */
import { createInterface } from 'node:readline';
import type { AlertTarget, Notice } from '../../protocol/index.js';
import type { Word } from '../delivery.js';
import { run } from './command.js';
import { mail } from './email.js';
import { post } from './webhook.js';

/** Rejects where the receiver did not take it. */
export type Send = (notice: Notice) => Promise<void>;

interface Errand {
  readonly target: AlertTarget;
  readonly notices: readonly Notice[];
}

let isOver = false;
createInterface({ input: process.stdin })
  .once('line', (line) => void deliver(JSON.parse(line) as Errand))
  .once('close', () => {
    if (!isOver) process.kill(process.pid, 'SIGKILL'); // a receiver may hang
  });

async function deliver({ target, notices }: Errand): Promise<void> {
  try {
    const send = await open(target);
    for (const notice of notices) {
      await send(notice);
      say({ done: notice.id });
    }
  } catch (error) {
    say({ failed: (error as Error).message });
    process.exitCode = 1;
  }
  isOver = true;
  process.stdin.destroy();
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
