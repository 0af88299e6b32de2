import type { ExtractOptions } from '../../../src/release/index.js';

export interface HostileKind {
  /** What is wrong with it. */
  readonly what: string;
  /** Bombs are made when it is their turn. */
  readonly bytes: Buffer | (() => Buffer);
  /** Which rule must refuse it. */
  readonly rule: string;
  /** Which entry must be named; null: it is about the archive as a whole. */
  readonly entry: string | null;
  readonly options?: ExtractOptions;
}

/** Short: what, rule, entry, bytes. */
export function kind(
  what: string,
  rule: string,
  entry: string | null,
  bytes: HostileKind['bytes'],
  options?: ExtractOptions,
): HostileKind {
  return { what, rule, entry, bytes, ...(options && { options }) };
}
