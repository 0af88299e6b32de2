import type { Frame } from './frame.js';

/** An exception as a stack trace tells of it. */
export interface Trace {
  readonly type: string | null;
  /** Its first line that says something. */
  readonly message: string;
  /** The innermost first. */
  readonly frames: readonly Frame[];
  /** Of the exceptions that led to it, or that it gathers: `TypeError: message`. */
  readonly causes: readonly string[];
  /** Where it is known without a frame of the application. */
  readonly place?: string;
}

const MAX_CAUSES = 10;

export function limitCauses(causes: readonly string[]): string[] {
  return [...new Set(causes)].slice(0, MAX_CAUSES);
}
