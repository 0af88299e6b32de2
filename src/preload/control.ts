/** Where upkeep asks this process for something: one JSON request a line, JSON lines as answers. */
import { attempt } from './attempt.js';
import type { Handle } from './internals.js';
import { net } from './node.js';

export type Request =
  | ({ readonly do: 'drain' } & DrainRequest)
  | { readonly do: 'attach' }
  | { readonly do: 'message'; readonly message: unknown };

export interface DrainRequest {
  readonly mode: DrainMode;
  readonly deadlineMs: number;
  /** Silence after which an idle connection is closed. */
  readonly idleMs: number;
}

/** restart: nobody else serves meanwhile, so this process accepts for as long as it has to live anyway. */
export type DrainMode = 'stop' | 'reload' | 'restart';

export type Answer = (words: object) => void;
export type Handler = (request: Request, answer: Answer) => void;

const { Socket: SocketOfNode } = net;
const { parse, stringify } = JSON;

/** A connection to the control socket. It keeps nobody alive. */
export function serveControl(client: Handle, handle: Handler): void {
  const socket = new SocketOfNode({ handle: client } as object);
  const answer: Answer = (words) => attempt(() => socket.write(`${stringify(words)}\n`));
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
    handle(parse(line) as Request, answer);
  } catch (error) {
    answer({ error: String(error) });
  }
}
