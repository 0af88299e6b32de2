/**
 * Where upkeep asks this process for something: one JSON request a line, JSON lines as answers. Below net.Socket, on the handle itself: a
 * socket of another kind than those of the application (a pipe among connections of TCP) costs each of its requests a sixteenth
 * from then on, because what Node has compiled for streams is for both kinds.
 */
import type { ControlAnswer, ControlRequest } from '../protocol/index.js';
import { attempt } from './attempt.js';
import type { Handle } from './internals.js';
import { fs } from './node.js';

/** false: nobody hears it any more. */
export type Answer = (words: ControlAnswer) => boolean;
export type Handler = (request: ControlRequest, answer: Answer) => unknown;

const { parse, stringify } = JSON;
const { writeSync } = fs;
const bytesFrom = Buffer.from;

/** A connection to the control socket. It keeps nobody alive. */
export function serveControl(client: Handle, handle: Handler): void {
  /** Byte for byte. */
  let text = '';
  let isOpen = true;
  const end = () => {
    if (isOpen) client.close();
    isOpen = false;
  };
  const answer: Answer = (words) => {
    if (isOpen && !write(client, `${stringify(words)}\n`)) end();
    return isOpen;
  };
  client.onread = (...values) => {
    const bytes = bytesOf(values);
    if (!bytes) return end();
    const lines = (text + bytes.toString('latin1')).split('\n');
    text = lines.pop() || '';
    for (const line of lines) serve(bytesFrom(line, 'latin1').toString(), handle, answer);
  };
  client.unref();
  client.readStart?.();
}

/** Node 11 and older say how many there are; newer ones give as many. undefined: nobody is there any more. */
function bytesOf([first, second]: readonly unknown[]): Buffer | undefined {
  if (typeof first !== 'number') return first ? bytesFrom(first as ArrayBuffer) : undefined;
  return first < 0 ? undefined : ((second as Buffer | undefined) ?? bytesFrom(''));
}

/** At once and as a whole, or not at all: a daemon that was stopped hears nothing, and the application is not to keep it all for it. */
function write(client: Handle, line: string): boolean {
  const bytes = bytesFrom(line);
  return attempt(() => writeSync(client.fd!, bytes)) === bytes.length;
}

function serve(line: string, handle: Handler, answer: Answer): void {
  try {
    handle(parse(line) as ControlRequest, answer);
  } catch (error) {
    answer({ error: String(error) });
  }
}
