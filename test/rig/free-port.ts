import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what the kernel gives to outgoing connections: one of those would hold the port by the time it is wanted. */
const [FIRST, END] = [15_000, 32_000];

/** Nobody listens on them yet, perhaps, but somebody is going to. */
const given = new Set<number>();

/** A port that nobody listens on at this moment, and that nobody else in this process was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (given.has(port)) continue;
    const server = createServer().listen(port);
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false, // in use
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    given.add(port);
    return port;
  }
}
