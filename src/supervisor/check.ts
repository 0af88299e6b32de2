/** Asks once whether an instance does its work: the mechanism behind ready rules and health checks. */
import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { get as getSecure } from 'node:https';
import type { CheckSpec, PortSpec } from '../protocol/index.js';
import { holdsSocket, listeningSockets } from '../system/index.js';
import { unreachable } from '../util/index.js';

export interface CheckResult {
  readonly isSuccess: boolean;
  /** What was seen, for a person. */
  readonly detail: string;
}

/** What a check may look at. */
export interface CheckTarget {
  readonly ports: readonly PortSpec[];
  readonly cwd: string;
  env(): Readonly<Record<string, string>>;
  /** Pids of the whole tree, at this moment. */
  pids(): number[];
}

export function runCheck(check: CheckSpec, target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  switch (check.on) {
    case 'port':
      return Promise.resolve(checkPorts(target));
    case 'http':
      return checkHttp(check.url, check.status, timeoutMs);
    case 'command':
      return checkCommand(check.argv, target, timeoutMs);
    default:
      return unreachable(check);
  }
}

/** Looks at the sockets themselves: no connection that the application would notice, and no stranger's port. */
function checkPorts(target: CheckTarget): CheckResult {
  const sockets = target.ports.map(({ port }) => ({ port, inodes: listeningSockets(port) }));
  const silent = sockets.find(({ inodes }) => inodes.size === 0);
  if (silent) return { isSuccess: false, detail: `nothing listens on port ${silent.port}` };
  const pids = target.pids();
  const foreign = sockets.find(({ inodes }) => !pids.some((pid) => holdsSocket(pid, inodes)));
  if (foreign) return { isSuccess: false, detail: `port ${foreign.port} is held by another process` };
  return { isSuccess: true, detail: `listens on port ${sockets.map(({ port }) => port).join(', ')}` };
}

function checkHttp(url: string, status: number | null, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const request = (url.startsWith('https:') ? getSecure : get)(
      url,
      { agent: false, timeout: timeoutMs },
      (response) => {
        response.resume();
        const code = response.statusCode ?? 0;
        const isSuccess = status === null ? code < 400 : code === status;
        resolve({ isSuccess, detail: `${url} answered ${code}` });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => resolve({ isSuccess: false, detail: `${url}: ${error.message}` }));
  });
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
