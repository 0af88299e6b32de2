/** How a release is judged, and who is told to send it traffic, with every default filled in. */
import { resolve } from 'node:path';
import type { CheckSpec, ServiceSpec, SmokeSpec, TrafficSpec, VerifySpec } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedSmoke, ParsedTraffic, ParsedVerify } from '../schema.js';
import { checkSpec } from './check.js';
import { RELEASE_VERIFY, VERIFY_TIMEOUT_MS } from './defaults.js';
import { commandInRelease, hookSpec } from './hook.js';
import { refuseWithoutHttp } from './http-answer.js';
import type { ProgramContext } from './program.js';

export interface GroupContext extends ProgramContext {
  readonly services: readonly ServiceSpec[];
  /** Services whose ports were refused: they have some, but nobody knows which. */
  readonly haveUnknownPorts: ReadonlySet<string>;
}

export async function verifySpec(verify: ParsedVerify, context: GroupContext): Promise<VerifySpec> {
  const smoke = await smokeSpecs(verify.smoke, context);
  if (verify.noData === 'smoke' && smoke.length === 0) {
    const hint = 'write smoke: /health, or noData: hold';
    context.refuse(['verify', 'noData'], 'there are no smoke checks to go by', hint);
  }
  const { services } = context;
  return {
    smoke,
    stableMs: verify.stable ?? RELEASE_VERIFY.stableMs,
    canary: canaryOf(verify.canary, services),
    forMs: verify.for ?? RELEASE_VERIFY.forMs,
    bakeMs: verify.bake ?? RELEASE_VERIFY.bakeMs,
    minRequests: verify.minRequests ?? RELEASE_VERIFY.minRequests,
    alpha: verify.alpha ?? RELEASE_VERIFY.alpha,
    errorRate: verify.errorRate ?? 'refuse',
    latency: verify.latency ?? 'refuse',
    newErrors: verify.newErrors ?? 'refuse',
    memory: verify.memory ?? 'refuse',
    noData: verify.noData ?? (smoke.length > 0 ? 'smoke' : 'hold'),
    holdMs: verify.hold ?? RELEASE_VERIFY.holdMs,
  };
}

/** One of one is all of them. */
function canaryOf(canary: ParsedVerify['canary'], services: readonly ServiceSpec[]): VerifySpec['canary'] {
  if (canary === false) return null;
  if (canary === undefined && services.every(({ instances }) => instances < 2)) return null;
  const { instances, for: forMs } = canary ?? {};
  return {
    instances: instances ?? RELEASE_VERIFY.canary.instances,
    forMs: forMs ?? RELEASE_VERIFY.canary.forMs,
  };
}

async function smokeSpecs(smoke: ParsedVerify['smoke'], context: GroupContext): Promise<SmokeSpec[]> {
  if (smoke === undefined) return [];
  const all = Array.isArray(smoke) ? smoke : [smoke];
  const part = (index: number): Path => ['verify', 'smoke', ...(Array.isArray(smoke) ? [index] : [])];
  const specs = await Promise.all(all.map((each, index) => smokeSpec(each, part(index), context)));
  return specs.filter((spec) => spec !== undefined);
}

async function smokeSpec(
  smoke: ParsedSmoke,
  part: Path,
  context: GroupContext,
): Promise<SmokeSpec | undefined> {
  const rule = typeof smoke === 'string' ? { http: smoke } : smoke;
  const kinds = (['http', 'command'] as const).filter((kind) => rule[kind] !== undefined);
  if (kinds.length !== 1) {
    const fact =
      kinds.length === 0 ? 'says nothing that could be checked' : 'http and command exclude each other';
    context.refuse(part, fact, 'write {http: /health}, or {command: ...}');
    return undefined;
  }
  const service = serviceOf(rule, part, context);
  if (!service) return undefined;
  const { ports, sockets, release, cwd } = service;
  const hasUnknownPorts = context.haveUnknownPorts.has(service.name);
  const within = { ...context, ports, sockets, release, cwd, hasUnknownPorts };
  if (rule.http !== undefined && sockets.inherit === 'systemd') {
    const hint = 'write {command: ...}; what it asks for has to answer beside the old instances';
    context.refuse(part, 'only what loads the preload of upkeep can be asked before it takes traffic', hint);
  }
  if (rule.command !== undefined) refuseWithoutHttp(rule, part, within);
  const check: CheckSpec | undefined =
    rule.command === undefined
      ? await checkSpec(rule, part, typeof smoke === 'string', within)
      : { on: 'command', argv: await commandInRelease(rule.command, [...part, 'command'], context) };
  return check && { service: service.name, check, timeoutMs: rule.timeout ?? VERIFY_TIMEOUT_MS };
}

type SmokeRule = Exclude<ParsedSmoke, string>;

function serviceOf(rule: SmokeRule, part: Path, context: GroupContext): ServiceSpec | undefined {
  const { services } = context;
  if (rule.service !== undefined) return namedService(rule.service, [...part, 'service'], context);
  if (rule.command !== undefined || services.length < 2) return services[0];
  const withPorts = services.filter(
    ({ name, ports }) => ports.length > 0 || context.haveUnknownPorts.has(name),
  );
  if (withPorts.length < 2) return withPorts[0] ?? services[0];
  const names = withPorts.map(({ name }) => name);
  const hint = `write {http: ${rule.http}, service: ${names[0]}}`;
  context.refuse(part, `which of ${names.join(' and ')} is asked is not said`, hint);
  return undefined;
}

function namedService(name: string, part: Path, { services, refuse }: GroupContext): ServiceSpec | undefined {
  const found = services.find((service) => service.name === name);
  if (found) return found;
  const names = services.map((service) => service.name);
  const near = mostSimilar(name, names);
  const hint = near ? `did you mean "${near}"?` : `its services: ${names.join(', ')}`;
  refuse(part, `"${name}" is not a service of this group`, hint);
  return undefined;
}

export async function trafficSpec(
  traffic: ParsedTraffic | undefined,
  context: GroupContext,
): Promise<TrafficSpec | null> {
  if (!traffic) return null;
  const { haproxy, command } = traffic;
  if ((haproxy === undefined) === (command === undefined)) {
    const fact = haproxy ? 'haproxy and command exclude each other' : 'says nothing that could be told';
    context.refuse(['traffic'], fact, 'write one of haproxy and command');
    return null;
  }
  if (command) {
    const place = (key: string): Path => ['traffic', 'command', key];
    const ofHost = { cwd: context.folder };
    return {
      type: 'command',
      out: await hookSpec(command.out, place('out'), context, ofHost),
      in: await hookSpec(command.in, place('in'), context, ofHost),
    };
  }
  return haproxySpec(haproxy!, context);
}

function haproxySpec(haproxy: NonNullable<ParsedTraffic['haproxy']>, context: GroupContext): TrafficSpec {
  const { sockets, servers } = haproxy;
  for (const name of Object.keys(servers))
    namedService(name, ['traffic', 'haproxy', 'servers', name], context);
  if (Object.keys(servers).length === 0) {
    const hint = `write {${context.services[0]?.name ?? 'api'}: web/app1}`;
    context.refuse(['traffic', 'haproxy', 'servers'], 'no server is named', hint);
  }
  return {
    type: 'haproxy',
    sockets: sockets.map((socket, index) =>
      socketOf(socket, ['traffic', 'haproxy', 'sockets', index], context),
    ),
    servers,
    canaryWeight: haproxy.canaryWeight ?? 10,
    drainMs: haproxy.drain ?? 30_000,
    allowLast: haproxy.allowLast ?? false,
  };
}

/** `host:port` as it is; anything else is a path. */
function socketOf(socket: string, part: Path, { folder, refuse }: GroupContext): string {
  const port = Number(/^(?:\[[^\]]+\]|[^:/]+):(\d{1,5})$/.exec(socket)?.[1] ?? Number.NaN);
  if (port >= 1 && port <= 65_535) return socket;
  if (socket.includes(':') && !socket.includes('/'))
    refuse(part, `"${socket}" is neither a path nor host:port`, 'write /run/haproxy.sock, or 127.0.0.1:9999');
  return resolve(folder, socket);
}
