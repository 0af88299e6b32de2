/** A healthy machine with one home and one service, from which tests vary. */
import { BARE_SPEC } from '../core/index.js';
import type { ServiceSpec, UpkeepEvent } from '../protocol/index.js';
import type { StoredService } from '../store/index.js';
import type { Finding } from './finding.js';
import type { Home, LiveInstance, Machine, Process } from './machine.js';

export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const HOME = '/srv/home';

export function processOf(pid: number, change: Partial<Process> = {}): Process {
  return {
    pid,
    parent: 1,
    uid: 0,
    name: 'sleep',
    startedAt: NOW - 60_000,
    argv: ['/bin/sleep', '1000'],
    cwd: '/',
    executable: { path: '/bin/sleep', now: 'same' },
    environment: {},
    descriptors: new Map(),
    limits: { openFiles: 65_536, processes: 4096 },
    swapBytes: 0,
    controlGroups: '0::/',
    ...change,
  };
}

export function nodeOf(pid: number, change: Partial<Process> = {}): Process {
  const executable = { path: '/usr/bin/node', now: 'same' } as const;
  return processOf(pid, { name: 'node', argv: ['/usr/bin/node', '/srv/app.js'], executable, ...change });
}

export function serviceOf(name: string, change: Partial<ServiceSpec> = {}): StoredService {
  const spec = { ...BARE_SPEC, name, ...change };
  return { spec, isWanted: true, attempts: [1], restarts: [], completed: [], listens: [] };
}

export function instanceOf(service: string, main: Process, change: Partial<LiveInstance> = {}): LiveInstance {
  const environment = { UPKEEP_HOME: HOME, UPKEEP_SERVICE: service };
  const shim = processOf(main.pid - 1, { name: 'upkeep-shim', argv: ['upkeep-shim', 'run'], environment });
  return { service, instance: 0, shim, main, startedAt: shim.startedAt, tree: [main], ...change };
}

export function homeOfPath(path: string, change: Partial<Home> = {}): Home {
  return {
    path,
    exists: true,
    ownerUid: 0,
    daemon: undefined,
    lockOwner: undefined,
    services: [],
    stateNotes: [],
    instances: [],
    events: [],
    unfinished: [],
    files: [],
    runs: [],
    disk: { totalBytes: 1e12, freeBytes: 5e11, totalInodes: 1e6, freeInodes: 5e5 },
    ...change,
  };
}

const DAEMON = nodeOf(10, { argv: ['/usr/bin/node', '/opt/upkeep/dist/daemon.js'] });

/** Its service `api` is pid 21, below the shim 20; the daemon is pid 10. */
export function machineOf(change: Partial<Machine> = {}, ofHome: Partial<Home> = {}): Machine {
  const home = homeOfPath(HOME, {
    daemon: DAEMON,
    lockOwner: DAEMON,
    services: [serviceOf('api')],
    instances: [instanceOf('api', processOf(21, { parent: 20 }))],
    ...ofHome,
  });
  const own = [
    ...(home.daemon ? [home.daemon] : []),
    ...home.instances.flatMap(({ shim, tree }) => [shim, ...tree]),
  ];
  return {
    now: NOW,
    uid: 0,
    version: '1.0.0',
    processes: tableOf(own),
    home,
    homes: [home],
    answer: answerOf(home),
    configurations: [],
    units: [
      {
        path: '/etc/systemd/system/upkeep.service',
        scope: 'system',
        home: HOME,
        isEnabled: true,
        isLingering: true,
        missing: [],
      },
    ],
    memory: { oomKills: 0, oomKillsOfOurs: 0, victims: [], swapTotalBytes: 0, swapFreeBytes: 0 },
    unseen: new Set(),
    listenersOn: () => undefined,
    file: (path) => ({ path, kind: 'file', uid: 0, bytes: 1, changedAt: NOW, readableBy: 'owner' }),
    namesIn: () => [],
    environmentOf: () => ({ known: {}, unknown: [] }),
    nodeVersionOf: () => undefined,
    nodeDemandsOf: () => [],
    ...change,
  };
}

export function tableOf(processes: readonly Process[]): ReadonlyMap<number, Process> {
  return new Map(processes.map((process) => [process.pid, process]));
}

function answerOf({ path, daemon, events }: Home): Machine['answer'] {
  if (!daemon) return { kind: 'none', why: 'none is running' };
  const startedAt = new Date(daemon.startedAt).toISOString();
  return {
    kind: 'answers',
    daemon: {
      pid: daemon.pid,
      guardian: null,
      version: '1.0.0',
      protocol: 1,
      home: path,
      startedAt,
      node: 'v20.0.0',
      services: 1,
      instances: 1,
    },
    services: [],
    operations: [],
    events,
  };
}

/** That an instance of `api` ended by itself. */
export function exitEvent(seq: number, at: number, askedBy: string | null = null): UpkeepEvent {
  const time = new Date(at).toISOString();
  const end = {
    attempt: seq,
    kind: 'exited',
    code: 1,
    signal: null,
    livedMs: 5,
    leftBehind: 0,
  } as const;
  const exit = { ...end, lastLines: [], askedBy, reason: 'exit code 1', at: time };
  return { seq, at: time, type: 'instance-exited', service: 'api', instance: 0, attempt: seq, exit };
}

export function idsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ id }) => id);
}
