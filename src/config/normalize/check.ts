/** The rules for "ready" and "healthy". */
import type {
  CheckSpec,
  EventLoopSpec,
  HealthSpec,
  PortSpec,
  ReadySpec,
  ReloadSpec,
  SocketsSpec,
} from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedService } from '../schema.js';
import { EVENT_LOOP, HEALTH, READY_TIMEOUT_MS, RELOAD, VERIFY_TIMEOUT_MS } from './defaults.js';
import { answerRule, refuseBadPattern, refuseWithoutHttp, type HttpRule } from './http-answer.js';
import { resolveCommand, type ProgramContext } from './program.js';

export interface CheckContext extends ProgramContext {
  readonly ports: readonly PortSpec[];
  /** The declaration of the ports was refused: they exist, but are not known. */
  readonly hasUnknownPorts: boolean;
  readonly sockets: SocketsSpec;
}

const KINDS = ['port', 'http', 'tcp', 'log', 'command', 'message', 'notify'] as const;

export async function readySpec(ready: ParsedService['ready'], context: CheckContext): Promise<ReadySpec> {
  const rule = typeof ready === 'object' ? ready : wordAsRule(ready);
  const timeoutMs = (typeof ready === 'object' ? ready.timeout : undefined) ?? READY_TIMEOUT_MS;
  refuseSeveral(rule, 'ready', context);
  if (rule.log !== undefined) {
    refuseBadPattern(rule.log, ['ready', 'log'], context);
    return { on: 'log', pattern: rule.log, timeoutMs };
  }
  if (rule.message) return { on: 'message', timeoutMs };
  if (rule.notify) return { on: 'notify', timeoutMs };
  const isSaid = ready === 'start' || KINDS.some((kind) => kind in rule);
  const hasPorts = context.ports.length > 0 || context.sockets.paths.length > 0;
  // A held socket listens before the program does: only the program can tell that it is ready.
  if (!isSaid && hasPorts && context.sockets.inherit === 'systemd') return { on: 'notify', timeoutMs };
  const fallback = !isSaid && context.ports.length > 0 ? ({ on: 'port' } as const) : undefined;
  const check = (await checkSpec(rule, ['ready'], typeof ready === 'string', context)) ?? fallback;
  return check ? { on: 'check', check, timeoutMs } : { on: 'start', timeoutMs };
}

interface ReadyRule extends CheckRule {
  readonly log?: string;
  readonly message?: true;
  readonly notify?: true;
}

function wordAsRule(word: 'start' | 'port' | 'message' | 'notify' | undefined): ReadyRule {
  return word === undefined || word === 'start' ? {} : { [word]: true };
}

export async function reloadSpec(
  reload: ParsedService['reload'],
  context: CheckContext,
): Promise<ReloadSpec> {
  const { maxUnavailable = RELOAD.maxUnavailable, stable = RELOAD.stableMs, verify } = reload ?? {};
  // Something has to give way: who lets instances be missing need not have room for more.
  const maxSurge = reload?.maxSurge ?? (maxUnavailable > 0 ? 0 : RELOAD.maxSurge);
  if (maxSurge === 0 && maxUnavailable === 0) {
    context.refuse(
      ['reload'],
      'neither a new instance may be added nor an old one be missing, so nothing could be replaced',
      'write maxSurge: 1, or maxUnavailable: 1',
    );
  }
  const common = { maxSurge, maxUnavailable, stableMs: stable };
  if (!verify) return { ...common, verify: null };
  const check = await checkSpec(verify, ['reload', 'verify'], false, context);
  if (!check) {
    context.refuse(
      ['reload', 'verify'],
      'says nothing that could be checked',
      'write verify: {http: /health}, or {command: ...}',
    );
    return { ...common, verify: null };
  }
  if (context.sockets.inherit === 'systemd' && check.on === 'http') {
    context.refuse(
      ['reload', 'verify'],
      'only what loads the preload of upkeep can be asked before it takes traffic',
      'remove verify; the ready rule is what a program with LISTEN_FDS is judged by',
    );
  }
  return { ...common, verify: { check, timeoutMs: verify.timeout ?? VERIFY_TIMEOUT_MS } };
}

export async function healthSpec(
  health: ParsedService['health'],
  context: CheckContext,
): Promise<HealthSpec | null> {
  if (!health) return null;
  refuseSeveral(health, 'health', context);
  const check = await checkSpec(health, ['health'], false, context);
  if (!check && health.eventLoop !== undefined) return null;
  if (!check) {
    context.refuse(
      ['health'],
      'says nothing that could be checked',
      'write health: {http: /health}, {port: true}, {tcp: 3000} or {command: ...}',
    );
    return null;
  }
  return {
    check,
    intervalMs: health.interval ?? HEALTH.intervalMs,
    timeoutMs: health.timeout ?? HEALTH.timeoutMs,
    failures: health.failures ?? HEALTH.failures,
    successes: health.successes ?? HEALTH.successes,
    startPeriodMs: health.startPeriod ?? HEALTH.startPeriodMs,
    action: health.action ?? HEALTH.action,
    certificateMs: health.certificate === false ? null : (health.certificate ?? HEALTH.certificateMs),
  };
}

export function eventLoopSpec(health: ParsedService['health']): EventLoopSpec | null {
  const rule = health?.eventLoop ?? {};
  if (rule === false) return null;
  const { limit, action }: { limit?: number; action?: EventLoopSpec['action'] } =
    typeof rule === 'number' ? { limit: rule } : rule;
  return { limitMs: limit ?? EVENT_LOOP.limitMs, action: action ?? EVENT_LOOP.action };
}

interface CheckRule extends HttpRule {
  readonly port?: true;
  readonly http?: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly command?: string | string[];
}

export async function checkSpec(
  rule: CheckRule,
  place: Path,
  isWord: boolean,
  context: CheckContext,
): Promise<CheckSpec | undefined> {
  const part = (kind: string): Path => (isWord ? place : [...place, kind]);
  if (rule.http === undefined) refuseWithoutHttp(rule, place, context);
  else
    return { on: 'http', url: urlOf(rule.http, part('http'), context), ...answerRule(rule, place, context) };
  if (rule.tcp !== undefined) return { on: 'port', connect: rule.tcp };
  if (rule.command !== undefined) {
    const argv = await resolveCommand(rule.command, part('command'), context);
    return { on: 'command', argv };
  }
  if (rule.port === undefined) return undefined;
  refuseWithoutPorts(part('port'), 'a check of the port', context);
  return { on: 'port' };
}

/** A path is asked for on the first port of the instance. */
function urlOf(http: string, part: Path, context: CheckContext): string {
  if (http.startsWith('/')) {
    refuseWithoutPorts(part, `the path "${http}"`, context);
    const [first] = context.ports;
    return `http://${hostOf(first)}:${first?.port ?? 80}${http}`;
  }
  if (!URL.canParse(http))
    context.refuse(part, `"${http}" is not a URL`, 'write http://127.0.0.1:3000/health, or a path');
  return http;
}

/** An address that means "any" is asked at the loopback. */
function hostOf(port: PortSpec | undefined): string {
  const host = port?.host ?? '127.0.0.1';
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function refuseWithoutPorts(
  part: Path,
  what: string,
  { ports, hasUnknownPorts, refuse }: CheckContext,
): void {
  if (ports.length > 0 || hasUnknownPorts) return;
  refuse(
    part,
    `${what} needs a port, and the service declares none`,
    'write port: 3000 (the port that it listens on)',
  );
}

function refuseSeveral(rule: object, key: string, { refuse }: CheckContext): void {
  const [first, second] = KINDS.filter((kind) => kind in rule);
  if (first && second)
    refuse([key, second], `${first} and ${second} are given, but only one rule can hold`, `keep one of them`);
}
