/**
 * Lets another version take over, in two steps:
 *
 *   the new one                                    this one
 *   loads, reads state and journal    ──ready──▶   stops taking requests, saves, lets go of everything
 *   takes everything, listens         ◀──go─────
 *                                  ──confirmed─▶   leaves, without a word to the guardian
 *                                     ◀──over──
 *
 * Where the new one ends or is late, it is killed, and this one takes back what it let go of. See takeover.ts for the other
 * side, and docs/daemon.md for what users are promised.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UpkeepError, type UpgradeRequest, type UpgradeView } from '../protocol/index.js';
import type { Handover } from '../supervisor/index.js';
import { SilentError, Successor, type Guardian, type Silence } from '../system/index.js';
import { formatDuration } from '../util/index.js';

/** What the new version is told: no more than what it can do without. */
export const HANDOVER_FORMAT = 1;

export interface UpgradeHost {
  readonly home: string;
  readonly guardian: Guardian;
  readonly launcherDescriptor: number;
  /** Whether this daemon has written the line to the log that both versions share. */
  isOwnWord(line: string): boolean;
  letGo(): Promise<Handover>;
  takeBack(handover: Handover): Promise<void>;
}

const SHOWN_LOG_LINES = 10;

export async function upgrade(
  { root, node, timeoutMs }: UpgradeRequest,
  host: UpgradeHost,
): Promise<UpgradeView['to']> {
  const log = new LogTail(join(host.home, 'daemon.log'));
  const successor = start(root, node, host);
  host.guardian.share();
  let handover: Handover | undefined;
  try {
    await successor.hear('ready', timeoutMs);
    handover = await host.letGo();
    successor.say({ go: wordHandover(handover) });
    const confirmed = (await successor.hear('confirmed', timeoutMs)) as UpgradeView['to'];
    successor.say({ over: true });
    successor.leave();
    host.guardian.leave();
    return { pid: confirmed.pid, version: confirmed.version };
  } catch (error) {
    await successor.kill();
    const words = log.read().filter((line) => !host.isOwnWord(line));
    if (handover) await host.takeBack(handover);
    host.guardian.keep();
    if (!(error instanceof SilentError)) throw error;
    throw failed(root, wordSilence(error.silence, timeoutMs, handover !== undefined), words);
  }
}

function start(root: string, node: string, { guardian, launcherDescriptor }: UpgradeHost): Successor {
  const script = join(root, 'dist', 'daemon.js');
  if (!existsSync(script)) throw failed(root, `"${script}" does not exist`, []);
  if (!guardian.descriptors) throw withoutGuardian();
  return new Successor({
    node,
    flags: process.execArgv,
    script,
    descriptors: [...guardian.descriptors, launcherDescriptor],
    env: { ...process.env, UPKEEP_GUARDIAN: String(guardian.pid) },
  });
}

function wordHandover({ launcher, heldSockets }: Handover): object {
  return { format: HANDOVER_FORMAT, launcher: launcher.pid, heldSockets };
}

function wordSilence(silence: Silence, timeoutMs: number, wasReady: boolean): string {
  const step = wasReady ? 'take over' : 'become ready';
  if (silence.reason === 'timeout')
    return `the new version did not ${step} within ${formatDuration(timeoutMs)}`;
  const { code, signal } = silence;
  const end = code === null ? `it was ended by ${signal}` : `it exited with code ${code}`;
  return `the new version did not ${step}: ${end}`;
}

function failed(root: string, fact: string, lastWords: readonly string[]): UpkeepError {
  const lines = lastWords.slice(-SHOWN_LOG_LINES).map((line) => `\n    ${line}`);
  const words = lines.length === 0 ? '' : `; its last words were:${lines.join('')}`;
  return new UpkeepError('upgrade-failed', `Cannot upgrade the daemon to ${root}: ${fact}${words}`, {
    hint: 'the daemon from before goes on, and so do all services',
  });
}

function withoutGuardian(): UpkeepError {
  return new UpkeepError('unsupported', 'Cannot upgrade the daemon in place: it has no guardian', {
    hint: 'let whatever started it restart it, services go on running: systemctl restart, for example',
  });
}

/** What is written to the log from now on. */
class LogTail {
  readonly #path: string;
  readonly #start: number;

  constructor(path: string) {
    this.#path = path;
    this.#start = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  read(): string[] {
    if (!existsSync(this.#path)) return []; // stdout goes somewhere else
    const bytes = readFileSync(this.#path);
    // Shorter: it has begun anew meanwhile.
    const text = bytes.subarray(bytes.length < this.#start ? 0 : this.#start).toString('utf8');
    return text.split('\n').filter(Boolean);
  }
}
