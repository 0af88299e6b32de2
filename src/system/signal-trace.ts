/**
 * Who sends signals on this machine, as the kernel itself notes it (tracefs, root only). Each home has a trace instance of
 * its own, which goes on collecting while no daemon lives; its buffer is small, and what is old falls out.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bootedAt } from './process-table.js';

/** A signal that the kernel was asked to deliver. */
export interface SeenSignal {
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  readonly signal: number;
  readonly target: number;
  readonly sender: number;
  readonly senderName: string;
  /** si_code: 0 and less by a process, above 0 by the kernel, whoever was running then. */
  readonly code: number;
}

export type Answer<T> = { readonly found: T } | { readonly missing: string };

const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
/** Pids of the trace are those of the first namespace, whose inode the kernel has fixed (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const TOTAL_KB = 256;
const MIN_KB = 16;
/** SIGCHLD, SIGCONT, SIGURG, SIGPROF, SIGWINCH, SIGIO, and real-time ones: many, and none that ends a service. */
const FILTER = 'sig!=17&&sig!=18&&sig!=23&&sig!=27&&sig!=28&&sig!=29&&sig!=0&&sig<32';
const LINE =
  /^\s*(.+?)-(\d+)\s+\[\d+\].*?\s(\d+\.\d+): signal_generate: sig=(\d+) errno=-?\d+ code=(-?\d+) comm=.* pid=(\d+) grp=\d+ res=(\d+)/;
/** TRACE_SIGNAL_DELIVERED and TRACE_SIGNAL_ALREADY_PENDING. */
const TAKEN = ['0', '2'];

export class SignalTrace {
  readonly #folder: string | undefined;
  readonly #missing: string;

  constructor(home: string) {
    const name = `upkeep-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
    const { folder, missing } = open(name);
    this.#folder = folder;
    this.#missing = missing;
  }

  get isThere(): boolean {
    return this.#folder !== undefined;
  }

  /** What is still in the buffer, oldest first. */
  read(): Answer<readonly SeenSignal[]> {
    if (this.#folder === undefined) return { missing: this.#missing };
    try {
      const text = readFileSync(join(this.#folder, 'trace'), 'latin1');
      return { found: parseTrace(text, bootedAt()) };
    } catch (error) {
      return { missing: `it cannot be read: ${(error as Error).message}` };
    }
  }

  /** Nothing is left that it could be asked about. */
  remove(): void {
    try {
      if (this.#folder !== undefined) rmdirSync(this.#folder);
    } catch {
      // somebody reads it, or it is gone already
    }
  }
}

/** `bootedAt`: wall clock of the start of the machine, milliseconds. */
export function parseTrace(text: string, bootedAt: number): SeenSignal[] {
  const seen: SeenSignal[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match || !TAKEN.includes(match[7]!)) continue;
    const [, senderName = '', sender, seconds, signal, code, target] = match;
    seen.push({
      at: Math.round((bootedAt + Number(seconds) * 1000) * 1000) / 1000,
      signal: Number(signal),
      target: Number(target),
      sender: Number(sender),
      senderName,
      code: Number(code),
    });
  }
  return seen.sort((a, b) => a.at - b.at);
}

/** Whether pids of this process are those that the kernel words in its logs. */
export function isFirstPidNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch {
    return false; // no Linux, or no /proc
  }
}

function open(name: string): { readonly folder: string | undefined; readonly missing: string } {
  const no = (missing: string): { folder: undefined; missing: string } => ({ folder: undefined, missing });
  if (process.getuid?.() !== 0) return no('only root may read it');
  if (!isFirstPidNamespace()) return no('the daemon runs in a pid namespace of its own (a container)');
  const mount = MOUNTS.find((path) => existsSync(join(path, 'instances')));
  if (mount === undefined) return no(`tracefs is not mounted: mount -t tracefs tracefs ${MOUNTS[0]}`);
  const folder = join(mount, 'instances', name);
  try {
    begin(folder);
    return { folder, missing: '' };
  } catch (error) {
    return no(`it cannot be set up: ${(error as Error).message}`);
  }
}

/** What a former daemon began goes on, with what it holds. */
function begin(folder: string): void {
  const file = (path: string): string => join(folder, path);
  const event = file('events/signal/signal_generate');
  if (existsSync(folder) && readFileSync(join(event, 'enable'), 'latin1').trim() === '1') return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file('trace_clock'), 'boot');
  const kb = Math.max(MIN_KB, Math.ceil(TOTAL_KB / availableParallelism()));
  writeFileSync(file('buffer_size_kb'), String(kb));
  writeFileSync(join(event, 'filter'), FILTER);
  writeFileSync(join(event, 'enable'), '1');
  writeFileSync(file('tracing_on'), '1');
}
