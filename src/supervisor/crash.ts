/**
 * By what error an attempt ended. Its preload says so in the moment (src/preload/crash.ts); of what has none, its last words tell.
 * "Unknown" is allowed, wrong is not: who ended well, or was ended by somebody else, has no reason, whatever it said before.
 */
import * as v from 'valibot';
import { ExitError } from '../protocol/index.js';
import type { AttemptExit } from './exit.js';

/** The wrapper of the one that crashed (npm, sh) is gone after it. */
const WRAPPER_MS = 2000;
const MAX_MESSAGE = 500;
const MAX_WORD = 100;
/** SIGILL, SIGTRAP and SIGABRT: how runtimes end themselves. */
const GIVING_UP = [4, 5, 6];
const NOT_TO_PRINT = /[\p{Cc}\u2028\u2029]+/gu;

interface Crash {
  readonly error: ExitError;
  readonly at: number;
}

export interface Ended {
  readonly exit: AttemptExit;
  readonly pid: number | undefined;
  readonly at: number;
}

/** What the processes of one attempt said of their crashes. */
export class Crashes {
  readonly #ofPids = new Map<number, Crash>();

  get size(): number {
    return this.#ofPids.size;
  }

  has(pid: number): boolean {
    return this.#ofPids.has(pid);
  }

  /** `words`: JSON. An exception that nobody has caught yet. */
  onCrash(pid: number, words: string, at: number): void {
    const error = parse(words);
    if (!error) return;
    this.#ofPids.delete(pid);
    // The processes of an attempt may be many.
    for (const [other, crash] of this.#ofPids) if (at - crash.at > WRAPPER_MS) this.#ofPids.delete(other);
    this.#ofPids.set(pid, { error, at });
  }

  /** The application caught it, and lives on. */
  onSurvived(pid: number): void {
    this.#ofPids.delete(pid);
  }

  /** Whose error that was; null: its output told it. */
  whoCrashed({ pid, at }: Pick<Ended, 'pid' | 'at'>): number | null {
    if (pid !== undefined && this.#ofPids.has(pid)) return pid;
    const other = [...this.#ofPids].findLast(([, crash]) => at - crash.at <= WRAPPER_MS);
    return other ? other[0] : null;
  }

  /** `lastError`: what its output tells, asked only where that is needed. */
  whatEnded({ exit, pid, at }: Ended, lastError: () => ExitError | null): ExitError | null {
    if (!isCrash(exit)) return null;
    const own = pid === undefined ? undefined : this.#ofPids.get(pid);
    const other = [...this.#ofPids.values()].findLast((crash) => at - crash.at <= WRAPPER_MS);
    const said = (own ?? other)?.error;
    if (said && said.at !== null) return said;
    const written = lastError();
    if (!said) return written && tidy(written);
    // Of a syntax error only Node's own words name the place.
    return written?.type === said.type ? { ...said, at: tidy(written).at } : said;
  }
}

function isCrash(exit: AttemptExit): boolean {
  return exit.kind === 'signalled'
    ? GIVING_UP.includes(exit.signal)
    : exit.kind === 'exited' && exit.code !== 0;
}

function parse(words: string): ExitError | undefined {
  try {
    return tidy(v.parse(ExitError, JSON.parse(words)));
  } catch {
    return undefined; // of a later version, or made up
  }
}

/** It is shown to people. */
function tidy({ type, message, at }: ExitError): ExitError {
  const clean = (text: string, length: number): string =>
    text.replace(NOT_TO_PRINT, ' ').trim().slice(0, length);
  // `panic: runtime error` of the message `runtime error: index out of range`
  const doubled = type === null ? '' : `${type.slice(type.lastIndexOf(': ') + 1).trim()}: `;
  return {
    type: type === null ? null : clean(type, MAX_WORD),
    message: clean(
      doubled !== '' && message.startsWith(doubled) ? message.slice(doubled.length) : message,
      MAX_MESSAGE,
    ),
    at: at === null ? null : clean(at, MAX_WORD),
  };
}
