/** Makes apps/express5 crash by a request, which fails with it. */
import { request } from 'node:http';

export const WAYS_TO_CRASH = ['exit', 'throw', 'kill'] as const;
export type WayToCrash = (typeof WAYS_TO_CRASH)[number];

/** Resolves when its connection has ended. */
export function crash(port: number, how: WayToCrash): Promise<void> {
  return new Promise((resolve) => {
    const asking = request({ host: '127.0.0.1', port, path: `/crash?how=${how}`, agent: false });
    asking.on('error', () => undefined); // as it was asked to
    asking.on('close', resolve);
    asking.end();
  });
}
