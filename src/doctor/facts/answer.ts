/** Asks the daemon of a home, and starts none. */
import { connectOnly, homeFrom } from '../../client/index.js';
import type { Answer } from '../machine.js';

const PATIENCE_MS = 5000;
const ASKED_EVENTS = 1000;

export async function askDaemon(path: string): Promise<Answer> {
  const client = connectOnly(homeFrom({ UPKEEP_HOME: path }));
  try {
    const options = { anyProtocol: true, timeoutMs: PATIENCE_MS };
    const daemon = await client.call('daemon', options);
    const [services, operations, events] = await Promise.all([
      client.call('services', options),
      client.call('operations', { ...options, query: {} }),
      collect(client.stream('events', { anyProtocol: true, query: { limit: String(ASKED_EVENTS) } })),
    ]);
    return { kind: 'answers', daemon, services, operations, events };
  } catch (error) {
    return { kind: 'none', why: (error as Error).message };
  }
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}
