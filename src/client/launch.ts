/**
 * Starts a daemon and waits until it answers. Any number of clients may do so at once: the lock lets one daemon
 * through, and everyone waits for whichever came first.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UpkeepError } from '../protocol/index.js';
import { isAnswering, type Client } from './client.js';
import type { Home } from './home.js';
import { EXIT_LOCKED } from './lock.js';
import { ownPackage, shimPath } from './package.js';

const DEADLINE_MS = 15_000;
/** Where somebody else holds the lock, who may have to start while hundreds wait for it. */
const LOCKED_DEADLINE_MS = 30_000;
/** While somebody else holds the lock: when it is tried again, for the holder may be a daemon that ends; each time later, up to the most. */
const LOCK_RETRY_MS = 250;
const MOST_LOCK_RETRY_MS = 1000;
const SHOWN_LOG_LINES = 10;
/**
 * A small young generation: 5 MB less at 300 services, and no slower, because little lives long in a daemon. To sweep so little,
 * threads that help cost more than they do, in processor time and memory.
 */
const DAEMON_FLAGS = ['--max-semi-space-size=1', '--single-threaded-gc', '--v8-pool-size=1'];

/** How one launched guardian ended, which is how its daemon did; while `undefined`, that is coming up, or up. */
interface Launch {
  end: { readonly code: number | null; readonly signal: string | null; readonly at: number } | undefined;
}

/** `probe` is a client that starts nothing itself. */
export async function startDaemon(home: Home, probe: Client): Promise<void> {
  mkdirSync(home.path, { recursive: true, mode: 0o700 });
  const startedAt = performance.now();
  let deadlineMs = DEADLINE_MS;
  let retryMs = LOCK_RETRY_MS;
  let launch = launchDaemon(home);
  for (let pauseMs = 10; !(await isAnswering(probe)); pauseMs = Math.min(pauseMs * 1.5, 50)) {
    if (performance.now() - startedAt > deadlineMs)
      throw startFailed(home, `it did not answer within ${deadlineMs / 1000} s`);
    const { end } = launch;
    if (end && isFailure(end)) throw startFailed(home, wordEnd(end));
    if (end?.code === EXIT_LOCKED) deadlineMs = LOCKED_DEADLINE_MS;
    if (end && performance.now() - end.at > retryMs) {
      launch = launchDaemon(home);
      retryMs = Math.min(retryMs * 2, MOST_LOCK_RETRY_MS);
    }
    await delay(pauseMs);
  }
}

function launchDaemon(home: Home): Launch {
  const log = openSync(home.log, 'a', 0o600);
  const [program, ...args] = daemonCommand(home, 'guard');
  const child = spawn(program!, args, {
    detached: true,
    cwd: '/',
    env: daemonEnvironment(home),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const launch: Launch = { end: undefined };
  child.once('exit', (code, signal) => (launch.end = { code, signal, at: performance.now() }));
  child.once('error', (error) => (launch.end = { code: null, signal: error.message, at: performance.now() }));
  return launch;
}

/**
 * The daemon as an argument list: it holds the lock of the home for as long as it lives. `guard`: with a guardian, which
 * starts it again; `lock`: for an init system, which does that itself.
 */
export function daemonCommand(
  home: Home,
  keeper: 'guard' | 'lock',
  node = process.execPath,
): readonly string[] {
  return [shimPath(), keeper, home.lock, '--', node, ...DAEMON_FLAGS, daemonPath()];
}

function daemonPath(): string {
  const path = join(ownPackage().root, 'dist', 'daemon.js');
  for (const file of [path, shimPath()]) {
    if (existsSync(file)) continue;
    throw new UpkeepError('daemon-unreachable', `Cannot start the daemon: "${file}" does not exist`, {
      hint: 'the installation is incomplete; in a checkout: npm run build && npm run build:shim',
    });
  }
  return path;
}

/**
 * The shell's environment without what npm and npx add to it, which would leak into every service, and without the
 * socket on which an init system waits for somebody else.
 */
function daemonEnvironment(home: Home): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => key !== 'NOTIFY_SOCKET' && !key.toLowerCase().startsWith('npm_'),
  );
  return { ...Object.fromEntries(kept), UPKEEP_HOME: home.path };
}

function isFailure({ code }: NonNullable<Launch['end']>): boolean {
  return code !== 0 && code !== EXIT_LOCKED;
}

function wordEnd({ code, signal }: NonNullable<Launch['end']>): string {
  return code === null ? `it was ended by ${signal}` : `it exited with code ${code}`;
}

function startFailed(home: Home, fact: string): UpkeepError {
  const lines = lastLines(home.log);
  const words =
    lines.length > 0 ? `; its last words were:\n${lines.map((line) => `    ${line}`).join('\n')}` : '';
  return new UpkeepError('daemon-unreachable', `Cannot start the daemon: ${fact}${words}`, {
    hint: `more may stand in ${home.log}`,
  });
}

function lastLines(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-SHOWN_LOG_LINES).filter(Boolean);
}
