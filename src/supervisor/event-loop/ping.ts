/** Asks a process whether its event loop turns. */
import type { PingAnswer, PingRequest } from '../../protocol/index.js';
import { connectUnix } from '../../system/index.js';

export interface Ping {
  /**
   * Resolves when it has answered, with undefined where it cannot any more, as when it has ended; never, as long as it is
   * silent.
   */
  readonly answer: Promise<PingAnswer | undefined>;
  /** Nobody waits any longer. */
  end(): void;
}

/** `path`: of its control socket, see src/preload/control.ts. */
export function ping(path: string, { resources = false } = {}): Ping {
  const socket = connectUnix(path);
  const answer = new Promise<PingAnswer | undefined>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      resolve(parse(text));
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Its queue is full of others that wait: it is as silent as before.
      if (error.code !== 'EAGAIN') resolve(undefined);
    });
    socket.on('end', () => resolve(undefined));
  });
  const request: PingRequest = { do: 'ping', resources };
  socket.write(`${JSON.stringify(request)}\n`);
  return { answer, end: () => void socket.destroy() };
}

interface Answer extends Omit<PingAnswer, 'resources'> {
  /** Of an older preload: one word for each. */
  readonly resources?: PingAnswer['resources'] | readonly string[];
}

function countKinds(said: NonNullable<Answer['resources']>): Record<string, number> {
  if (!Array.isArray(said)) return { ...(said as NonNullable<PingAnswer['resources']>) };
  const counts: Record<string, number> = {};
  for (const kind of said as readonly string[]) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** An older preload does not know the word, and its answer is an answer. */
function parse(text: string): PingAnswer {
  try {
    const { handlers = 1, resources } = JSON.parse(text) as Partial<Answer>;
    return { ok: true, handlers, ...(resources ? { resources: countKinds(resources) } : {}) };
  } catch {
    return { ok: true, handlers: 1 };
  }
}
