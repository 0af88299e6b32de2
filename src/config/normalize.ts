/** From a draft to the frozen specification: defaults filled in, paths and programs resolved. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type {
  LogSpec,
  PortSpec,
  ScheduleSpec,
  SecretSpec,
  ServiceSpec,
  WatchSpec,
} from '../protocol/index.js';
import type { Report } from './diagnostic.js';
import type { Draft } from './draft.js';
import { alertSpecs } from './normalize/alert.js';
import { eventLoopSpec, healthSpec, readySpec, reloadSpec, type CheckContext } from './normalize/check.js';
import { LOGS, RESTART, SOCKETS, STOP, WATCH } from './normalize/defaults.js';
import { currentOf, isInRelease } from './normalize/in-release.js';
import { mergeLayers, shellLayer, type ShellEnv } from './normalize/environment.js';
import { resolveCommand, resolveProgram } from './normalize/program.js';
import type { ParsedService } from './schema.js';

export interface NormalizeContext {
  /** Relative paths begin here: the folder of the configuration file. */
  readonly folder: string;
  readonly shellEnv: ShellEnv;
  /** What `node` means. */
  readonly nodePath: string;
  readonly origin: ServiceSpec['origin'];
  /** Run commands in a shell, whether they look so or not. */
  readonly isShell?: boolean;
  /** What the service is released with; null: it is run where it lies. @default null */
  readonly release?: ServiceSpec['release'];
}

/** Reports what cannot be resolved; the specification is of use only if nothing was. */
export async function normalizeService(
  draft: Draft,
  context: NormalizeContext,
  report: Report,
): Promise<ServiceSpec> {
  const { service } = draft;
  const { folder, release = null } = context;
  const cwd = resolve(release ? currentOf(release) : folder, service.cwd ?? '.');
  const env = mergeLayers([shellLayer(context.shellEnv, service.inheritEnv ?? false), ...draft.env]);
  const ports = portSpecs(service);
  const within: CheckContext = {
    ...context,
    release,
    cwd,
    path: env['PATH']?.value ?? '',
    ports,
    sockets: socketsSpec(service, cwd),
    hasUnknownPorts: draft.broken.has('port') || draft.broken.has('ports'),
    refuse: (part, message, hint) => report({ path: draft.place(part), message, hint }),
  };
  // Secrets and alerts are of the host, and there before any release is.
  const ofHost = release ? { ...within, cwd: folder, release: null } : within;
  const { script, argv } = await resolveProgram(service, within);
  return {
    name: draft.name,
    script,
    argv,
    cwd,
    user: service.user ?? null,
    group: service.group ?? null,
    instances: service.instances === 'max' ? availableParallelism() : (service.instances ?? 1),
    env,
    envFiles: (service.envFiles ?? []).map((file) => resolve(folder, file)),
    secrets: await secretSpecs(service.secrets ?? {}, ofHost),
    ports,
    sockets: within.sockets,
    preload: service.preload ?? true,
    reload: await reloadSpec(service.reload, within),
    dependsOn: {},
    restartWithDependencies: service.restartWithDependencies ?? false,
    restart: restartSpec(service),
    stop: stopSpec(service),
    ready: await readySpec(service.ready, within),
    health: await healthSpec(service.health, within),
    eventLoop: eventLoopSpec(service.health),
    limits: { memoryBytes: service.limits?.memory ?? null },
    logs: logSpec(service.logs),
    alerts: await alertSpecs(draft, ofHost, report),
    schedule: scheduleSpec(service.schedule),
    watch: watchSpec(service.watch, cwd, release),
    release,
    origin: context.origin,
  };
}

function portSpecs({ port, ports = [] }: ParsedService): PortSpec[] {
  return [...(port === undefined ? [] : [port]), ...ports].map((each) =>
    typeof each === 'number'
      ? { port: each, host: null, name: null }
      : { port: each.port, host: each.host ?? null, name: each.name ?? null },
  );
}

function restartSpec({ restart, schedule }: ParsedService): ServiceSpec['restart'] {
  const said = typeof restart === 'string' ? { policy: restart } : (restart ?? {});
  return {
    policy: said.policy ?? (schedule?.run === undefined ? RESTART.policy : 'never'),
    stopExitCodes: said.stopExitCodes ?? RESTART.stopExitCodes,
    delayMs: said.delay ?? RESTART.delayMs,
    maxDelayMs: said.maxDelay ?? Math.max(RESTART.maxDelayMs, said.delay ?? 0),
    stableMs: said.stable ?? RESTART.stableMs,
    limit: said.limit ?? RESTART.limit,
    windowMs: said.window ?? RESTART.windowMs,
    retryMs: said.retry ?? RESTART.retryMs,
  };
}

function stopSpec({ stop = {} }: ParsedService): ServiceSpec['stop'] {
  return {
    signal: stop.signal ?? STOP.signal,
    drainMs: stop.drain ?? STOP.drainMs,
    graceMs: stop.grace ?? STOP.graceMs,
    message: stop.message ?? STOP.message,
    killScope: stop.killScope ?? STOP.killScope,
  };
}

function socketsSpec({ sockets }: ParsedService, cwd: string): ServiceSpec['sockets'] {
  const said = typeof sockets === 'string' ? { inherit: sockets } : (sockets ?? {});
  return {
    inherit: said.inherit ?? SOCKETS.inherit,
    holdMs: said.hold ?? SOCKETS.holdMs,
    paths: (said.paths ?? SOCKETS.paths).map((path) => resolve(cwd, path)),
  };
}

async function secretSpecs(secrets: NonNullable<ParsedService['secrets']>, context: CheckContext) {
  const specs: Record<string, SecretSpec> = {};
  for (const [key, { file, command }] of Object.entries(secrets)) {
    if (file !== undefined) specs[key] = { file: resolve(context.folder, file) };
    else if (command !== undefined) {
      specs[key] = { command: await resolveCommand(command, ['secrets', key, 'command'], context) };
    }
  }
  return specs;
}

function logSpec(logs: ParsedService['logs'] = {}): LogSpec {
  const rotateEveryMs = logs.rotateEvery ?? LOGS.rotateEveryMs;
  const maxAgeMs = logs.maxAge ?? LOGS.maxAgeMs;
  return {
    maxFileBytes: logs.maxSize ?? LOGS.maxFileBytes,
    maxFiles: logs.maxFiles ?? LOGS.maxFiles,
    maxTotalBytes: logs.maxTotal ?? LOGS.maxTotalBytes,
    // What is never moved aside never becomes old.
    rotateEveryMs: maxAgeMs === null ? rotateEveryMs : Math.min(maxAgeMs, rotateEveryMs ?? Infinity),
    maxAgeMs,
    compress: logs.compress ?? LOGS.compress,
    perInstance: logs.perInstance ?? LOGS.perInstance,
  };
}

function scheduleSpec(schedule: ParsedService['schedule']): ScheduleSpec | null {
  if (!schedule) return null;
  const { restart = null, run = null, overlap = 'skip', timezone = null } = schedule;
  return { restart, run, overlap, timezone };
}

function watchSpec(
  watch: ParsedService['watch'],
  cwd: string,
  release: ServiceSpec['release'],
): WatchSpec | null {
  if (watch === undefined || watch === false) return null;
  const said = watch === true ? {} : Array.isArray(watch) ? { paths: watch } : watch;
  const all = (said.paths ?? WATCH.paths).map((path) => resolve(cwd, path));
  const paths = all.filter((path) => !isInRelease(path, release));
  if (paths.length === 0 && all.length > 0) return null;
  return {
    paths,
    ignore: [...(said.ignore ?? WATCH.ignore)],
    delayMs: said.delay ?? WATCH.delayMs,
  };
}
