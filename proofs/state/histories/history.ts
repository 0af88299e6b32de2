/** Random histories, the same for the same seed: what clients ask for, what happens from outside. */
import { DEFAULT_LOGS, type OperationRequest, type ServiceSpec } from '../../../src/protocol/index.js';

export type Command =
  | { readonly id: 'ask'; readonly request: OperationRequest }
  /** From outside, to the processes of a service. */
  | { readonly id: 'kill'; readonly service: string; readonly signal: 'SIGKILL' | 'SIGTERM' }
  | { readonly id: 'end-daemon'; readonly signal: 'SIGKILL' | 'SIGTERM' };

export interface Turn {
  readonly command: Command;
  /** Pause before it, milliseconds. */
  readonly afterMs: number;
}

export interface History {
  readonly seed: number;
  /** Its two services share nothing with other histories. */
  readonly services: readonly [string, string];
  /** Each client asks one after the other, beside the other one. */
  readonly clients: readonly (readonly Turn[])[];
}

const MOST_TURNS = 9;
const MOST_PAUSE_MS = 60;
const MOST_INSTANCES = 3;

/** What a service does, in turn; whatever it is, it comes to rest. */
const PROGRAMS: Readonly<
  Record<string, Pick<ServiceSpec, 'argv'> & { readonly policy: 'always' | 'on-failure' }>
> = {
  sleeps: { argv: ['/bin/sleep', '100000'], policy: 'always' },
  ends: { argv: ['/bin/sleep', '0.02'], policy: 'on-failure' },
  /** Once for each description and instance, then it stays. */
  crashes: {
    argv: [
      '/bin/sh',
      '-c',
      'mark=$MARKS/$VERSION.$UPKEEP_INSTANCE; [ -e $mark ] || { : >$mark; exit 1; }; exec sleep 100000',
    ],
    policy: 'always',
  },
};

export function randomHistory(seed: number, marks: string): History {
  const random = createRandom(seed);
  const services = [`s${seed}-a`, `s${seed}-b`] as const;
  const specs = createSpecs(random, marks, seed);
  const client = (): Turn[] =>
    Array.from({ length: 2 + random(MOST_TURNS - 1) }, () => ({
      command: randomCommand(random, services, specs),
      afterMs: random(MOST_PAUSE_MS),
    }));
  const first: Turn = { command: askUp(services.map((name) => specs(name))), afterMs: 0 };
  return { seed, services: [...services], clients: [[first, ...client()], client()] };
}

/** The first commands of each client. */
export function prefix(history: History, length: number): History {
  return { ...history, clients: history.clients.map((turns) => turns.slice(0, length)) };
}

export function wordHistory({ seed, clients }: History): string {
  const words = clients.map((turns, index) =>
    turns.map(({ command, afterMs }) => `  client ${index + 1} +${afterMs} ms: ${wordCommand(command)}`),
  );
  return [`seed ${seed}`, ...words.flat()].join('\n');
}

type Random = (below: number) => number;

/** mulberry32. */
function createRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomCommand(
  random: Random,
  services: readonly [string, string],
  specs: (name: string) => ServiceSpec,
): Command {
  const name = services[random(2)]!;
  const chosen = random(3) === 0 ? [...services] : [name];
  const ask = (request: OperationRequest): Command => ({ id: 'ask', request });
  const dice = random(100);
  if (dice < 25) return askUp(chosen.map(specs), random(4) === 0);
  if (dice < 37) return ask({ kind: 'start', services: chosen });
  if (dice < 52) return ask({ kind: 'stop', services: chosen });
  if (dice < 60) return ask({ kind: 'restart', services: chosen });
  if (dice < 65) return ask({ kind: 'reload', services: chosen });
  if (dice < 75) return ask({ kind: 'delete', services: chosen });
  if (dice < 86) return ask({ kind: 'scale', service: name, instances: random(MOST_INSTANCES + 1) });
  if (dice < 97) return { id: 'kill', service: name, signal: random(2) === 0 ? 'SIGKILL' : 'SIGTERM' };
  return { id: 'end-daemon', signal: random(3) === 0 ? 'SIGTERM' : 'SIGKILL' };
}

function askUp(specs: ServiceSpec[], prune = false): Command {
  return { id: 'ask', request: { kind: 'up', services: specs, ...(prune ? { prune } : {}) } };
}

/** A new description each time; sometimes only the number of instances differs, sometimes nothing at all. */
function createSpecs(random: Random, marks: string, seed: number): (name: string) => ServiceSpec {
  const latest = new Map<string, ServiceSpec>();
  let version = 0;
  return (name) => {
    const known = latest.get(name);
    const instances = 1 + random(MOST_INSTANCES);
    const kind = random(4);
    if (known && kind === 0) return known;
    const spec =
      known && kind === 1
        ? { ...known, instances }
        : newSpec(random, name, { version: `${seed}.${++version}`, marks, instances });
    latest.set(name, spec);
    return spec;
  };
}

function newSpec(
  random: Random,
  name: string,
  { version, marks, instances }: { version: string; marks: string; instances: number },
): ServiceSpec {
  const kinds = Object.values(PROGRAMS);
  const { argv, policy } = kinds[random(kinds.length)]!;
  const variable = (value: string): { value: string; source: string } => ({ value, source: 'histories' });
  return {
    name,
    script: null,
    argv,
    cwd: '/',
    user: null,
    group: null,
    instances,
    env: { VERSION: variable(version), MARKS: variable(marks), PATH: variable('/usr/bin:/bin') },
    envFiles: [],
    secrets: {},
    ports: [],
    dependsOn: {},
    restartWithDependencies: false,
    // Whatever is killed comes back soon: crash loops are another proof.
    restart: {
      policy,
      stopExitCodes: [],
      delayMs: 5,
      maxDelayMs: 20,
      stableMs: 10,
      limit: 1000,
      windowMs: 1000,
      retryMs: 50,
    },
    sockets: { inherit: 'auto', holdMs: 30_000, paths: [] },
    preload: true,
    reload: { maxSurge: 1, maxUnavailable: 0, stableMs: 50, verify: null },
    stop: { signal: 'SIGTERM', drainMs: 2000, graceMs: 2000, message: false, killScope: 'tree' },
    ready: { on: 'start', timeoutMs: 5000 },
    health: null,
    eventLoop: null,
    limits: { memoryBytes: null },
    logs: DEFAULT_LOGS,
    alerts: [],
    schedule: null,
    watch: null,
    release: null,
    origin: { file: `/history-${name.slice(0, -2)}`, profile: null },
  };
}

function wordCommand(command: Command): string {
  switch (command.id) {
    case 'kill':
      return `${command.signal} to ${command.service}`;
    case 'end-daemon':
      return `${command.signal} to the daemon`;
    case 'ask': {
      const { request } = command;
      if (request.kind !== 'up') return JSON.stringify(request);
      const specs = request.services.map(
        ({ name, env, instances }) => `${name} version ${env['VERSION']!.value} x${instances}`,
      );
      return `up ${specs.join(', ')}${request.prune ? ', prune' : ''}`;
    }
  }
}
