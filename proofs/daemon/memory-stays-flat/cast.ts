/** Services of every kind that costs the daemon something when it starts again, and how each is brought to that. */
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import { freePort } from '../../../test/rig/index.js';

/** `kill`: the restart policy brings it back. `restart`, `reload`: an operation does. `abandon`: who asks leaves at once. */
export type Way = 'kill' | 'restart' | 'reload' | 'abandon';

export interface Part {
  readonly name: string;
  readonly config: ServiceConfig;
  readonly ways: readonly Way[];
}

export const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const;
/** Ends with code 3, again and again. */
export const CRASHER = 'ends-itself';

const FOR_EVER = 'exec sleep 1000000';
const SAYS = 'echo "attempt $UPKEEP_ATTEMPT"';
const BLOCK_BYTES = 128 * 1024;
const SERVER = join(import.meta.dirname, '../support/apps/server.js');

const AT_ONCE: ServiceConfig = {
  restart: { delay: '1ms', maxDelay: '1ms', limit: 1_000_000, window: '10s' },
  reload: { stable: 0 },
};

const shell = (command: string, config: ServiceConfig = {}): ServiceConfig => ({
  ...AT_ONCE,
  command,
  ...config,
});

/** `folder`: of the rig. `write`: a file in it. */
export async function createParts(write: (name: string, text: string) => string): Promise<Part[]> {
  const block = write('block', `${'x'.repeat(127)}\n`.repeat(BLOCK_BYTES / 128));
  write('watched', '');
  const many = (count: number, name: string, part: Omit<Part, 'name'>): Part[] =>
    Array.from({ length: count }, (_, index) => ({ name: `${name}-${index + 1}`, ...part }));
  const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
  const onPort = (index: number, config: ServiceConfig): ServiceConfig => ({
    ...config,
    port: ports[index]!,
    env: { PORT: ports[index]! },
  });
  const plain = shell(`${SAYS}; ${FOR_EVER}`);
  const inheriting = shell(`${SAYS}; ${FOR_EVER}`, { sockets: 'systemd', ready: 'start' });
  const node: ServiceConfig = { ...AT_ONCE, script: SERVER };
  return [
    ...many(8, 'killed', { config: plain, ways: ['kill'] }),
    ...many(2, 'leaves-a-child', {
      config: shell(`${SAYS} >&2; sleep 1000000 & ${FOR_EVER}`),
      ways: ['kill', 'restart'],
    }),
    ...many(6, 'asked', { config: plain, ways: ['restart', 'restart', 'abandon'] }),
    ...many(2, 'two-of-it', { config: { ...plain, instances: 2 }, ways: ['restart', 'reload'] }),
    ...many(2, 'reloaded', { config: plain, ways: ['reload'] }),
    ...many(2, 'says-it-is-ready', {
      config: { ...plain, ready: { log: '^attempt' } },
      ways: ['kill', 'restart', 'reload'],
    }),
    {
      name: 'watched',
      config: { ...plain, watch: ['watched'], schedule: { restart: '0 0 1 1 *' }, limits: { memory: '1GB' } },
      ways: ['kill', 'restart', 'restart'],
    },
    {
      name: 'checked',
      config: { ...plain, health: { command: 'true', interval: '1s' } },
      ways: ['kill', 'restart'],
    },
    ...many(2, 'talkative', {
      config: shell(`cat '${block}'; ${FOR_EVER}`),
      ways: ['kill', 'restart'],
    }),
    ...[0, 1, 2].map((index) => ({
      name: `on-a-port-${index + 1}`,
      config: onPort(index, inheriting),
      ways: ['kill', 'restart', 'reload'] as const,
    })),
    ...[3, 4].map((index) => ({
      name: `node-${index - 2}`,
      config: onPort(index, { ...node, instances: index - 2 }),
      ways: ['kill', 'restart', 'reload'] as const,
    })),
    {
      name: 'node-health',
      config: onPort(5, { ...node, health: { http: '/', interval: '1s' } }),
      ways: ['kill', 'restart'],
    },
    { name: CRASHER, config: shell(`${SAYS}; sleep 1; exit 3`), ways: [] },
  ];
}
