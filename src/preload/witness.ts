/**
 * Says what bears on the end of this process and of its children, in the moment: exit() and abort(), which signals it sends and
 * why, children that ended badly. child_process kills children by itself, beyond maxBuffer and after a timeout, and tells only
 * whoever asks.
 */
import type { ChildProcess } from 'node:child_process';
import { attempt } from './attempt.js';
import { Budget } from './budget.js';
import { pack, placeIn } from './crash.js';
import { replaceMethod } from './replace.js';

export type Say = (word: 'exit' | 'kill' | 'child', words: string) => void;

/** Whoever starts a child for each request must not fill the journal: at once, and one more in each so many milliseconds. */
const SAID = [200, 3000] as const;
/** Of children that child_process kills by itself: nobody else can tell why. */
const KILLED = [1000, 600] as const;
const MAX_COMMAND = 120;
const DEPTH = 50;
const INTERNAL = /\((?:node:)?child_process(?:\.js)?:/;
const OUTPUT = /onChildStd|addChunk|readableAddChunk/;
const TIMER = /onTimeout|ontimeout/i;
/** The bottom of the stack is what the kernel's signal has called. */
const IN_HANDLER = /at process\.emit \((?:node:)?(?:events|domain)(?:\.js)?:/;

interface WithHandle {
  readonly spawnargs?: readonly string[];
  readonly _handle?: { onexit?: (code: number, signal: string) => void } | null;
}

interface Words {
  readonly [name: string]: string | number | boolean | null;
}

export class Witness {
  private readonly say: Say;
  private readonly said = new Budget(...SAID);
  private readonly killed = new Budget(...KILLED);
  /** Children that were sent a signal, and whose end was not heard of yet; whether child_process has done it by itself. */
  private readonly signalled = new Map<number, boolean>();

  constructor(say: Say) {
    this.say = say;
  }

  /** `prototype`: of ChildProcess. */
  attend(prototype: ChildProcess): void {
    const onExit: Witness['onExit'] = (...values) => this.onExit(...values);
    const onKill: Witness['onKill'] = (...values) => this.onKill(...values);
    replaceMethod(
      process,
      'exit',
      (original) =>
        function exit(this: NodeJS.Process, ...values: Parameters<typeof original>): never {
          attempt(() => onExit(exitCode(values[0]), linesAbove(exit)));
          return original.apply(this, values); // an undefined code is another than none
        },
    );
    replaceMethod(
      process,
      'abort',
      (original) =>
        function abort(this: NodeJS.Process): never {
          attempt(() => onExit(null, linesAbove(abort)));
          return original.call(this);
        },
    );
    replaceMethod(
      process,
      'kill',
      (original) =>
        function kill(this: NodeJS.Process, ...values: Parameters<typeof original>): true {
          const [pid, signal] = values;
          if (signal !== 0) attempt(() => onKill(pid, signal, linesAbove(kill), null));
          return original.apply(this, values);
        },
    );
    replaceMethod(
      prototype,
      'kill',
      (original) =>
        function kill(this: ChildProcess, ...values: Parameters<typeof original>): boolean {
          const { pid } = this;
          const [signal] = values;
          if (signal !== 0 && pid) attempt(() => onKill(pid, signal, linesAbove(kill), this));
          return original.apply(this, values);
        },
    );
  }

  /** Called when it was started. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    const handle = (child as WithHandle)._handle;
    const onexit = handle && handle.onexit;
    if (!pid || !handle || typeof onexit !== 'function') return;
    handle.onexit = (code, signal) => {
      const isOwn = this.signalled.get(pid) === true;
      const isAnswer = this.signalled.delete(pid);
      if (code !== 0 || signal || isAnswer) {
        const words = {
          child: pid,
          code: signal ? null : code,
          signal: signal || null,
          command: commandOf(child),
        };
        attempt(() => this.tell('child', words, isOwn));
      }
      return onexit.call(handle, code, signal);
    };
  }

  private onExit(code: number | null, lines: readonly string[]): void {
    this.say('exit', pack({ code, place: placeOf(lines) }, 'place'));
  }

  private onKill(
    target: number,
    signal: string | number | undefined,
    lines: readonly string[],
    child: ChildProcess | null,
  ): void {
    const reason = child ? reasonOf(lines) : 'call';
    const isOwn = reason !== 'call';
    if (child) this.signalled.set(target, isOwn);
    const words = {
      target,
      signal: nameOf(signal),
      reason,
      place: placeOf(lines),
      command: child && commandOf(child),
      printedBytes: child && printedBy(child),
      isPassedOn: IN_HANDLER.test(lines[lines.length - 1] || ''),
    };
    this.tell('kill', words, isOwn);
  }

  /** `isOwn`: child_process has killed it by itself. */
  private tell(word: 'kill' | 'child', words: Words, isOwn: boolean): void {
    const budget = isOwn ? this.killed : this.said;
    if (budget.take()) this.say(word, pack(words, 'command'));
  }
}

function exitCode(code: unknown): number {
  const given = code === undefined || code === null ? process.exitCode : code;
  return Number(given) || 0;
}

function nameOf(signal: string | number | undefined): string {
  if (typeof signal !== 'number') return signal || 'SIGTERM';
  const { signals } = (require('node:os') as typeof import('node:os')).constants;
  const names = Object.keys(signals) as NodeJS.Signals[];
  return names.filter((name) => signals[name] === signal)[0] || String(signal);
}

/** Of the stack, without those of upkeep; whatever the application makes of stacks. */
function linesAbove(own: Function): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: string } = {};
  try {
    Error.stackTraceLimit = DEPTH;
    (Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined;
    Error.captureStackTrace(holder, own);
    return (holder.stack || '').split('\n').slice(1);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    (Error as { prepareStackTrace?: unknown }).prepareStackTrace = prepareStackTrace;
  }
}

const PACKAGE = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+[^()]*?):(\d+):\d+\)?$/;

/** Of the application, or else of one of its packages. */
function placeOf(lines: readonly string[]): string | null {
  const own = placeIn(lines.join('\n'));
  if (own !== null) return own;
  for (const line of lines) {
    const place = PACKAGE.exec(line);
    if (place) return `${place[1]}:${place[2]}`.slice(-60);
  }
  return null;
}

function reasonOf(lines: readonly string[]): string {
  if (!INTERNAL.test(lines[0] || '')) return 'call';
  const text = lines.join('\n');
  if (OUTPUT.test(text)) return 'max-buffer';
  if (TIMER.test(text)) return 'timeout';
  return /abort/i.test(text) ? 'abort' : 'call';
}

/** `npx egg-scripts start` of a shell. */
function commandOf(child: ChildProcess): string | null {
  const { spawnargs } = child as WithHandle;
  if (!spawnargs) return null;
  const text = spawnargs[1] === '-c' && spawnargs[2] ? spawnargs[2] : spawnargs.join(' ');
  return text.slice(0, MAX_COMMAND);
}

function printedBy({ stdout, stderr }: ChildProcess): number | null {
  const read = (stream: unknown): number => Number((stream as { bytesRead?: number } | null)?.bytesRead) || 0;
  return Math.max(read(stdout), read(stderr));
}
