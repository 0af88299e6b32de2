/** The rules for "ready" and "healthy". */
import type { CheckSpec, HealthSpec, PortSpec, ReadySpec } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedService } from '../schema.js';
import { HEALTH, READY_TIMEOUT_MS } from './defaults.js';
import { resolveCommand, type ProgramContext } from './program.js';

export interface CheckContext extends ProgramContext {
  readonly ports: readonly PortSpec[];
  /** The declaration of the ports was refused: they exist, but are not known. */
  readonly hasUnknownPorts: boolean;
}

const KINDS = ['port', 'http', 'log', 'command'] as const;

export async function readySpec(ready: ParsedService['ready'], context: CheckContext): Promise<ReadySpec> {
  const rule = typeof ready === 'object' ? ready : wordAsRule(ready);
  const timeoutMs = (typeof ready === 'object' ? ready.timeout : undefined) ?? READY_TIMEOUT_MS;
  refuseSeveral(rule, 'ready', context);
  if (rule.log !== undefined) {
    refuseBadPattern(rule.log, context);
    return { on: 'log', pattern: rule.log, timeoutMs };
  }
  const isSaid = ready === 'start' || KINDS.some((kind) => kind in rule);
  const fallback = !isSaid && context.ports.length > 0 ? ({ on: 'port' } as const) : undefined;
  const check = (await checkSpec(rule, 'ready', typeof ready === 'string', context)) ?? fallback;
  return check ? { on: 'check', check, timeoutMs } : { on: 'start', timeoutMs };
}

function wordAsRule(word: 'start' | 'port' | undefined): CheckRule & { log?: string } {
  return word === 'port' ? { port: true } : {};
}

export async function healthSpec(
  health: ParsedService['health'],
  context: CheckContext,
): Promise<HealthSpec | null> {
  if (!health) return null;
  refuseSeveral(health, 'health', context);
  const check = await checkSpec(health, 'health', false, context);
  if (!check) {
    context.refuse(
      ['health'],
      'says nothing that could be checked',
      'write health: {http: /health}, {port: true} or {command: ...}',
    );
    return null;
  }
  return {
    check,
    intervalMs: health.interval ?? HEALTH.intervalMs,
    timeoutMs: health.timeout ?? HEALTH.timeoutMs,
    failures: health.failures ?? HEALTH.failures,
  };
}

interface CheckRule {
  readonly port?: true;
  readonly http?: string;
  readonly status?: number;
  readonly command?: string | string[];
}

async function checkSpec(
  rule: CheckRule,
  key: 'ready' | 'health',
  isWord: boolean,
  context: CheckContext,
): Promise<CheckSpec | undefined> {
  const part = (kind: string): Path => (isWord ? [key] : [key, kind]);
  if (rule.status !== undefined && rule.http === undefined) {
    context.refuse(
      [key, 'status'],
      'a status is only of use with http',
      `write ${key}: {http: /health, status: ${rule.status}}`,
    );
  }
  if (rule.http !== undefined) {
    return { on: 'http', url: urlOf(rule.http, part('http'), context), status: rule.status ?? null };
  }
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

function refuseBadPattern(pattern: string, { refuse }: CheckContext): void {
  try {
    new RegExp(pattern);
  } catch (error) {
    const reason = String((error as Error).message).replace(/^.*: /, '');
    refuse(
      ['ready', 'log'],
      `"${pattern}" is not a regular expression: ${reason}`,
      'escape special characters with a backslash',
    );
  }
}
