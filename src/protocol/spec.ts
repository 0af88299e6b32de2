/**
 * What a service is, after every default was filled in and every path resolved: the frozen input of the
 * supervisor. People write the looser form of `config/`; only this one travels to the daemon and to disk.
 */
import * as v from 'valibot';
import { AlertSpec } from './alert.js';
import { plainName } from './name.js';
import { SecretSpec } from './secret.js';
import { CheckSpec, HealthSpec } from './check.js';
import { DEFAULT_EVENT_LOOP, EventLoopSpec } from './evidence.js';

const name = v.pipe(
  plainName(),
  v.check((value) => value !== 'all', '"all" means every service'),
);
const milliseconds = v.pipe(v.number(), v.minValue(0));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** Signals that may be configured or sent: what `kill -l` calls the portable ones. */
export const SIGNALS = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
  'SIGWINCH',
] as const;
export type SignalName = (typeof SIGNALS)[number];

export const ServiceName = name;

export const RestartSpec = v.strictObject({
  policy: v.picklist(['always', 'on-failure', 'never']),
  /** Exit codes that mean "done": no restart under any policy. */
  stopExitCodes: v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  /** Delay before the second restart in a row; the first one is immediate. Doubles from there. */
  delayMs: milliseconds,
  maxDelayMs: milliseconds,
  /** An attempt that lived this long ends the row: the next restart is immediate again. */
  stableMs: milliseconds,
  /** This many failures within `windowMs` are a crash loop, whatever the age of the service. */
  limit: v.pipe(v.number(), v.integer(), v.minValue(1)),
  windowMs: milliseconds,
  /** In a crash loop: one try per this time, until an attempt is stable. */
  retryMs: milliseconds,
});
export type RestartSpec = v.InferOutput<typeof RestartSpec>;

export const StopSpec = v.strictObject({
  signal: v.picklist(SIGNALS),
  /** How long connections may take to end before the signal; 0: no drain. */
  drainMs: milliseconds,
  /** From the signal to SIGKILL. */
  graceMs: milliseconds,
  /** Also tell the process `shutdown` as a message (`process.on('message')`), for applications written for PM2. */
  message: v.boolean(),
  /** `tree`: the process and every descendant. `process`: the process alone, its descendants stay. */
  killScope: v.picklist(['tree', 'process']),
});
export type StopSpec = v.InferOutput<typeof StopSpec>;

export const ReadySpec = v.variant('on', [
  /** The program was executed. */
  v.strictObject({ on: v.literal('start'), timeoutMs: milliseconds }),
  /** The application says so: `process.send('ready')`. */
  v.strictObject({ on: v.literal('message'), timeoutMs: milliseconds }),
  /** The program says `READY=1` to NOTIFY_SOCKET, see sd_notify(3). */
  v.strictObject({ on: v.literal('notify'), timeoutMs: milliseconds }),
  /** A line on stdout or stderr matches the regular expression. */
  v.strictObject({ on: v.literal('log'), pattern: v.string(), timeoutMs: milliseconds }),
  v.strictObject({ on: v.literal('check'), check: CheckSpec, timeoutMs: milliseconds }),
]);
export type ReadySpec = v.InferOutput<typeof ReadySpec>;

export const PortSpec = v.strictObject({ port, host: v.nullable(v.string()), name: v.nullable(v.string()) });
export type PortSpec = v.InferOutput<typeof PortSpec>;

/** Who opens the sockets of a service, and how the program gets them. */
export const SocketsSpec = v.strictObject({
  /**
   * `node`: upkeep holds the declared ports, the preload maps `listen()` to them. `systemd`: upkeep holds and listens,
   * the program takes them by LISTEN_FDS. `off`: the program opens its own. `auto`: `node` for what is surely Node;
   * otherwise what the first attempt shows.
   */
  inherit: v.picklist(['auto', 'node', 'systemd', 'off']),
  /** How long connections may wait while nothing accepts; then the sockets are closed until something does. */
  holdMs: milliseconds,
  /** Unix sockets, absolute paths, beside the declared ports; for LISTEN_FDS. */
  paths: v.array(v.string()),
});
export type SocketsSpec = v.InferOutput<typeof SocketsSpec>;

export const ReloadSpec = v.strictObject({
  /** How many new instances may run beside the old ones at a time. */
  maxSurge: count,
  /** How many instances may be missing at a time; with `maxSurge` 0 each is stopped before its successor starts. */
  maxUnavailable: count,
  /** How long a new instance must live after it became ready, before the old one goes. */
  stableMs: milliseconds,
  /** Asked of the new instance itself, before it takes any traffic. */
  verify: v.nullable(v.strictObject({ check: CheckSpec, timeoutMs: v.pipe(v.number(), v.minValue(1)) })),
});
export type ReloadSpec = v.InferOutput<typeof ReloadSpec>;

/** How much of what a service writes is kept, and in which files. A running instance goes by what held when it began. */
export const LogSpec = v.strictObject({
  /** Of a file and its index together; a larger one is moved aside. */
  maxFileBytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Beside the current one, of each stream. */
  maxFiles: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Of all files of the service, as they are; the oldest is deleted. */
  maxTotalBytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** A file that was begun so long ago is moved aside. */
  rotateEveryMs: v.nullable(milliseconds),
  /** One that was moved aside, and is older, is deleted. */
  maxAgeMs: v.nullable(milliseconds),
  compress: v.boolean(),
  /** `out-0.log` for each instance instead of `out.log` for all. */
  perInstance: v.boolean(),
});
export type LogSpec = v.InferOutput<typeof LogSpec>;

export const DEFAULT_LOGS: LogSpec = {
  maxFileBytes: 10 * 1024 ** 2,
  maxFiles: 100,
  maxTotalBytes: 200 * 1024 ** 2,
  rotateEveryMs: null,
  maxAgeMs: null,
  compress: true,
  perInstance: false,
};

export const DEPENDENCY_CONDITIONS = ['started', 'ready', 'healthy', 'completed'] as const;
export type DependencyCondition = (typeof DEPENDENCY_CONDITIONS)[number];

export const ScheduleSpec = v.strictObject({
  /** Restart a running service at these times. */
  restart: v.nullable(v.string()),
  /** Run to completion at these times; between runs nothing lives. */
  run: v.nullable(v.string()),
  /** What a run does whose predecessor still lives. */
  overlap: v.picklist(['skip', 'queue', 'replace']),
  timezone: v.nullable(v.string()),
});
export type ScheduleSpec = v.InferOutput<typeof ScheduleSpec>;

export const WatchSpec = v.strictObject({
  paths: v.array(v.string()),
  ignore: v.array(v.string()),
  delayMs: milliseconds,
});
export type WatchSpec = v.InferOutput<typeof WatchSpec>;

export const ServiceSpec = v.strictObject({
  name,
  /** Absolute path of the script that must exist before anything is spawned; null for plain commands. */
  script: v.nullable(v.string()),
  /** What is executed: interpreter, its arguments, script and arguments, all resolved. */
  argv: v.pipe(v.array(v.string()), v.minLength(1)),
  cwd: v.string(),
  user: v.nullable(v.string()),
  group: v.nullable(v.string()),
  instances: count,
  /** Each value with the place that it came from, for `upkeep env`. */
  env: v.record(v.string(), v.strictObject({ value: v.string(), source: v.string() })),
  /** Read anew at each start, later files win over earlier ones, `env` over all. */
  envFiles: v.array(v.string()),
  /** Resolved at each start, never stored. */
  secrets: v.record(v.string(), SecretSpec),
  ports: v.array(PortSpec),
  sockets: SocketsSpec,
  /** Whether Node processes of the service load upkeep's preload. */
  preload: v.boolean(),
  reload: ReloadSpec,
  dependsOn: v.record(name, v.picklist(DEPENDENCY_CONDITIONS)),
  /** Also restart when a dependency is restarted (OTP's rest_for_one). */
  restartWithDependencies: v.boolean(),
  restart: RestartSpec,
  stop: StopSpec,
  ready: ReadySpec,
  health: v.nullable(HealthSpec),
  /** null: nobody looks. Absent in what an older upkeep wrote. */
  eventLoop: v.optional(v.nullable(EventLoopSpec), DEFAULT_EVENT_LOOP),
  limits: v.strictObject({
    /** Resident memory of the whole tree of one instance, polled every 2 s. */
    memoryBytes: v.nullable(count),
  }),
  /** Absent in what an older upkeep wrote. */
  logs: v.optional(LogSpec, DEFAULT_LOGS),
  /** Who is told of what happens to it. Absent in what an older upkeep wrote. */
  alerts: v.optional(v.array(AlertSpec), []),
  schedule: v.nullable(ScheduleSpec),
  watch: v.nullable(WatchSpec),
  /** The group that it is released with, whose releases lie in `folder`; null: it is run where it lies. Absent in what an older upkeep wrote. */
  release: v.optional(v.nullable(v.strictObject({ group: plainName(), folder: v.string() })), null),
  /** The configuration file and the profile that it came from; null: the command line. */
  origin: v.strictObject({ file: v.nullable(v.string()), profile: v.nullable(v.string()) }),
});
export type ServiceSpec = v.InferOutput<typeof ServiceSpec>;
