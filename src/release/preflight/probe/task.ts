/** What is asked of the child that loads code of a release, and what it answers: one line of JSON each. */
import type { Violation } from '../contract/violation.js';

export type ProbeTask =
  | { readonly task: 'version' }
  | { readonly task: 'load'; readonly files: readonly string[] }
  | {
      readonly task: 'contract';
      /** Absolute. */
      readonly module: string;
      readonly export: string;
      /** Comes by stdin: neither the arguments nor the environment of the child show it. */
      readonly env: Readonly<Record<string, string>>;
    }
  | {
      readonly task: 'sql';
      /** Files whose drivers are used, the nearest one first. Absolute. */
      readonly from: readonly string[];
      /** Which of `env` holds the URL. */
      readonly key: string;
      readonly env: Readonly<Record<string, string>>;
    };

export type ProbeLine =
  | {
      readonly version: string;
      readonly modules: string;
      readonly platform: string;
      readonly libc: 'glibc' | 'musl';
    }
  /** It is being loaded: whoever dies now died of it. */
  | { readonly loading: string }
  | { readonly loaded: string; readonly error: string | null }
  | {
      readonly contract: {
        readonly keys: readonly string[] | null;
        readonly violations: readonly Violation[];
      };
    }
  /** The driver that has asked. */
  | { readonly answered: string }
  | { readonly fault: string; readonly hint: string };
