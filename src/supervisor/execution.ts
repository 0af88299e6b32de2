/**
 * Prepares what is executed for an attempt: its environment, the sockets that it inherits, and, in Node processes, the
 * preload that maps `listen()` to them.
 */
import { join } from 'node:path';
import { UpkeepError, type PreloadSetup, type PreloadSocket, type ServiceSpec } from '../protocol/index.js';
import {
  canRead,
  findCredentials,
  isNodeBinary,
  knownNodeMajor,
  learnNodeMajor,
  locate,
  packageRoot,
} from '../system/index.js';
import type { Execution } from './attempt.js';
import {
  attemptVariables,
  isPlain,
  resolveEnvironment,
  resolvePlainEnvironment,
  type AttemptIdentity,
  type Environment,
} from './environment.js';
import { findPortHolder } from './port-holder.js';
import { FIRST_SOCKET, inheritance, type HeldSocket, type ServiceSockets } from './service-sockets.js';

/** So many more descriptors of each socket for a preload: one goes with every server that is closed. As in native/shim.h. */
const SPARES = 3;
/** Older ones do not know NODE_OPTIONS. */
const FIRST_WITH_NODE_OPTIONS = 8;

export interface ExecutionWish {
  readonly spec: ServiceSpec;
  readonly sockets: ServiceSockets;
  readonly identity: AttemptIdentity;
  /** It may open its sockets, but is not to take traffic before it is told. */
  readonly isHeldBack: boolean;
}

/** At once where there is nothing to wait for: three hundred services start faster like that. */
export function prepareExecution(wish: ExecutionWish): Execution | Promise<Execution> {
  const { spec, sockets } = wish;
  const isAtOnce = isPlain(spec) && sockets.isReady(spec) && isRuntimeKnown(spec);
  return isAtOnce ? compose(wish, resolvePlainEnvironment(spec)) : prepareLater(wish);
}

async function prepareLater(wish: ExecutionWish): Promise<Execution> {
  const environment = await resolveEnvironment(wish.spec);
  await wish.sockets.prepare(wish.spec);
  const node = nodeOf(wish.spec);
  if (node !== undefined) await learnNodeMajor(node);
  return compose(wish, environment);
}

function compose(wish: ExecutionWish, environment: Environment): Execution {
  const { spec, sockets, identity } = wish;
  const held = sockets.inherited(spec);
  const busy = held.length > 0 ? undefined : findPortHolder(spec);
  if (busy !== undefined) {
    throw new UpkeepError('start-failed', busy, { hint: 'stop that process, or set a free port' });
  }
  const own: Record<string, string> = {};
  for (const [key, { value }] of environment) own[key] = value;
  const env = { ...own, ...attemptVariables(spec, identity), ...listenVariables(spec, held) };
  const base = { sockets: held.map(({ key }) => key), isNotified: isNotified(spec) };
  if (!canPreload(spec)) return { ...base, argv: spec.argv, env, hasChannel: false };
  return { ...base, ...withPreload(wish, held, env), hasChannel: true };
}

function isNotified({ sockets, ready }: ServiceSpec): boolean {
  return sockets.inherit === 'systemd' || ready.on === 'notify';
}

/** The protocol of systemd, see sd_listen_fds(3); LISTEN_PID is set by the shim. */
function listenVariables(spec: ServiceSpec, held: readonly HeldSocket[]): Record<string, string> {
  if (held.length === 0) return {};
  const regained = { [SOCKETS_VARIABLE]: JSON.stringify(held) };
  if (inheritance(spec) !== 'systemd') return regained;
  const names = held.map(({ name }) => name.replaceAll(':', '_')).join(':');
  return { ...regained, LISTEN_FDS: String(held.length), LISTEN_FDNAMES: names };
}

/** What the shim holds for the attempt, for a daemon that comes later. */
const SOCKETS_VARIABLE = 'UPKEEP_SOCKETS';

/** The sockets of an attempt that a former daemon started, from the environment of its shim. */
export function socketsFrom(env: Readonly<Record<string, string>>): HeldSocket[] {
  try {
    return JSON.parse(env[SOCKETS_VARIABLE] ?? '[]') as HeldSocket[];
  } catch {
    return []; // not written by us
  }
}

export function preloadPath(): string {
  return join(packageRoot(), 'dist', 'preload.cjs');
}

/** Why the preload is left out although it was not forbidden; undefined: it is not. */
export function whyNoPreload(spec: ServiceSpec): string | undefined {
  if (!spec.preload || spec.user === null) return undefined;
  const user = findCredentials(spec.user, spec.group);
  if (!user || canRead(preloadPath(), user)) return undefined;
  return `user ${spec.user} cannot read ${preloadPath()}: install upkeep where everybody can read it`;
}

function canPreload(spec: ServiceSpec): boolean {
  return spec.preload && whyNoPreload(spec) === undefined;
}

function withPreload(
  { spec, isHeldBack }: ExecutionWish,
  held: readonly HeldSocket[],
  env: Record<string, string>,
): Pick<Execution, 'argv' | 'env'> {
  const path = preloadPath();
  const options = env['NODE_OPTIONS'] ?? null;
  const sockets = held.map(({ host, port, isAddressDeclared }, index): PreloadSocket => ({
    fds: [FIRST_SOCKET + index, ...sparesOf(index, held.length)],
    host,
    port,
    any: isAddressDeclared,
  }));
  const messages = spec.ready.on === 'message' || spec.stop.message;
  const setup: PreloadSetup = { path, sockets, hold: isHeldBack, messages, blocking: true, options };
  const common = { ...env, UPKEEP_PRELOAD: JSON.stringify(setup) };
  const node = nodeOf(spec);
  const major = node === undefined ? undefined : knownNodeMajor(node);
  if (major !== undefined && major < FIRST_WITH_NODE_OPTIONS) {
    const [program, ...args] = spec.argv as [string, ...string[]];
    return { argv: [program, '-r', path, ...args], env: common };
  }
  const word = /\s/.test(path) ? `"${path}"` : path;
  const nodeOptions = options === null ? `--require ${word}` : `--require ${word} ${options}`;
  return { argv: spec.argv, env: { ...common, NODE_OPTIONS: nodeOptions } };
}

/** Behind all the sockets, those of the first one first. */
function sparesOf(index: number, count: number): number[] {
  const first = FIRST_SOCKET + count + index * SPARES;
  return Array.from({ length: SPARES }, (_, spare) => first + spare);
}

/** The Node.js binary that is executed itself, not by way of a script. */
function nodeOf(spec: ServiceSpec): string | undefined {
  if (!spec.preload) return undefined;
  const program = locate(spec.argv[0]!, spec.cwd, spec.env['PATH']?.value);
  return program !== undefined && isNodeBinary(program) ? program : undefined;
}

function isRuntimeKnown(spec: ServiceSpec): boolean {
  const node = nodeOf(spec);
  return node === undefined || knownNodeMajor(node) !== undefined;
}
