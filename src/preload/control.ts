/** Where upkeep asks this process for something: one JSON request a line, JSON lines as answers. */
import type { ControlAnswer, ControlRequest } from '../protocol/index.js';
import { attempt } from './attempt.js';
import type { Handle } from './internals.js';
import { net } from './node.js';

/** false: nobody hears it any more. */
export type Answer = (words: ControlAnswer) => boolean;
export type Handler = (request: ControlRequest, answer: Answer) => unknown;

const { Socket: SocketOfNode } = net;
const { parse, stringify } = JSON;

/** A daemon that was stopped hears nothing, and the application is not to keep it all for it. */
const MOST_WAITING = 64 * 1024;

/** A connection to the control socket. It keeps nobody alive. */
export function serveControl(client: Handle, handle: Handler): void {
  const socket = new SocketOfNode({ handle: client } as object);
  const answer: Answer = (words) => {
    attempt(() => socket.write(`${stringify(words)}\n`));
    if (socket.writableLength > MOST_WAITING) socket.destroy();
    return !socket.destroyed;
  };
  let text = '';
  socket.unref();
  socket.on('error', () => undefined); // upkeep has gone
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() || '';
    for (const line of lines) serve(line, handle, answer);
  });
  socket.resume();
}

function serve(line: string, handle: Handler, answer: Answer): void {
  try {
    handle(parse(line) as ControlRequest, answer);
  } catch (error) {
    answer({ error: String(error) });
  }
}
