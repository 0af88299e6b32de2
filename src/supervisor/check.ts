/** Asks once whether an instance does its work: the mechanism behind ready rules and health checks. */
import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { get as getSecure } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import type { CheckSpec, PortSpec } from '../protocol/index.js';
import { connectUnix, holdsSocket, listeningSockets } from '../system/index.js';
import { unreachable } from '../util/index.js';
import type { Listening } from './channel.js';

export interface CheckResult {
  readonly isSuccess: boolean;
  /** What was seen, for a person. */
  readonly detail: string;
}

export interface OutputFollow {
  /** Tells at once what is there. */
  look(): void;
  end(): void;
}

/** What a check may look at. */
export interface CheckTarget {
  readonly ports: readonly PortSpec[];
  readonly cwd: string;
  env(): Readonly<Record<string, string>>;
  /** Pids of the whole tree, at this moment. */
  pids(): number[];
  /** What its preload has reported. */
  listening(): readonly Listening[];
  /** The socket of this port is upkeep's: that it listens says nothing about this instance. */
  isHeld(port: number): boolean;
  /** Leads to exactly this instance, also while others share its port. */
  privateSocket(port: number): string | undefined;
  /** Tells each line that it wrote and writes. */
  followOutput(onLine: (line: string) => void): OutputFollow | undefined;
}

export function runCheck(check: CheckSpec, target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  switch (check.on) {
    case 'port':
      return Promise.resolve(checkPorts(target));
    case 'http':
      return checkHttp(check.url, check.status, target, timeoutMs);
    case 'command':
      return checkCommand(check.argv, target, timeoutMs);
    default:
      return unreachable(check);
  }
}

/**
 * Looks at what was reported and at the sockets themselves: no connection that the application would notice, and no
 * stranger's port.
 */
function checkPorts(target: CheckTarget): CheckResult {
  const reported = target.listening();
  const unreported = target.ports.filter(({ port }) => !reported.some((each) => each.port === port));
  const sockets = unreported.map(({ port }) => ({
    port,
    inodes: target.isHeld(port) ? new Set<string>() : listeningSockets(port),
  }));
  const silent = sockets.find(({ inodes }) => inodes.size === 0);
  if (silent) {
    const others = reported.filter(
      ({ port }) => port > 0 && !target.ports.some((each) => each.port === port),
    );
    const instead = others.length === 0 ? '' : `; it listens on ${others.map(({ port }) => port).join(', ')}`;
    return { isSuccess: false, detail: `nothing listens on port ${silent.port}${instead}` };
  }
  const pids = sockets.length === 0 ? [] : target.pids();
  const foreign = sockets.find(({ inodes }) => !pids.some((pid) => holdsSocket(pid, inodes)));
  if (foreign) return { isSuccess: false, detail: `port ${foreign.port} is held by another process` };
  return { isSuccess: true, detail: `listens on port ${target.ports.map(({ port }) => port).join(', ')}` };
}

function checkHttp(
  url: string,
  status: number | null,
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckResult> {
  return new Promise((resolve) => {
    const options = privateRoute(url, target) ?? { agent: false as const };
    const request = (url.startsWith('https:') ? getSecure : get)(url, options, (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      const isSuccess = status === null ? code < 400 : code === status;
      resolve({ isSuccess, detail: `${url} answered ${code}` });
    });
    request.setTimeout(timeoutMs);
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => resolve({ isSuccess: false, detail: `${url}: ${error.message}` }));
  });
}

const LOCAL = /^(?:localhost|127\..*|\[::1\]|0\.0\.0\.0|\[::\])$/;

/** Where others share the port, only this leads to the instance that is meant. */
function privateRoute(url: string, target: CheckTarget): { createConnection: () => Socket } | undefined {
  const { hostname, port, protocol } = new URL(url);
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  const isOwn = LOCAL.test(hostname) || target.ports.some((each) => each.host === hostname);
  const path = isOwn ? target.privateSocket(number) : undefined;
  if (path === undefined) return undefined;
  // Which name a certificate is for says nothing about whether the instance works.
  if (protocol !== 'https:') return { createConnection: () => connectUnix(path) };
  return { createConnection: () => connectSecure({ socket: connectUnix(path), rejectUnauthorized: false }) };
}

function checkCommand(argv: readonly string[], target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  const [program, ...args] = argv as [string, ...string[]];
  const { cwd } = target;
  const env = target.env();
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error) => {
      const detail = error
        ? error.killed
          ? `no end within ${timeoutMs} ms`
          : error.message.split('\n')[0]!
        : 'exit code 0';
      resolve({ isSuccess: !error, detail: `${argv.join(' ')}: ${detail}` });
    });
  });
}
