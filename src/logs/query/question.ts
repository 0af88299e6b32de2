/** What the daemon asks its child, as one line of JSON. Nothing in it is to be understood: names and times are resolved. */
import type { LogLevel } from '../../protocol/index.js';
import type { StreamName } from '../log-files.js';

/** Raised with every change of the question or of the answer: the file of the child may be newer than the daemon. */
export const QUESTION_FORMAT = 1;

export interface LogQuestion {
  /** The logs of all services, a folder each. */
  readonly folder: string;
  readonly services: readonly string[];
  readonly streams: readonly StreamName[];
  readonly instance: number | null;
  /** Wall clock, milliseconds since the epoch: not before this, and before that. */
  readonly since: number | null;
  readonly until: number | null;
  readonly grep: { readonly pattern: string; readonly ignoresCase: boolean } | null;
  /** This or worse. */
  readonly level: LogLevel | null;
  /** Of what fits only the last so many. */
  readonly last: number | null;
  /** Around this moment so many before and as many from it on. */
  readonly around: { readonly at: number; readonly count: number } | null;
  /** Stay for what comes; `new`: also of services that are not named. */
  readonly follow: 'no' | 'named' | 'new';
  /** `latin1`: each byte is a character, and nothing is read into the lines. */
  readonly encoding: 'utf8' | 'latin1';
}
