/** What a check has to say: a sickness with its evidence and the way out. */

export const SEVERITIES = ['error', 'warning', 'note'] as const;

/** `error`: something does not work, or would not come back. `warning`: it will hurt. `note`: worth knowing. */
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  /** Stable, kebab-case; docs/doctor.md explains each. */
  readonly id: string;
  readonly severity: Severity;
  /** One line, with its evidence in words. */
  readonly fact: string;
  /** The same for programs: pids, paths, versions, times, names of variables; never their values. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** The command that ends it. */
  readonly command: string;
  /** What `--fix` does by itself; absent where a person has to decide. */
  readonly repair?: Repair;
}

/** Only what takes nothing away from anybody. */
export type Repair =
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  /** `lock`: only while no daemon holds this file, so that nothing is taken from one that just starts. */
  | { readonly kind: 'remove'; readonly paths: readonly string[]; readonly lock: string | null };
