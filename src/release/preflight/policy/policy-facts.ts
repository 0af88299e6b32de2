/** What the rules of a policy look at. */
import type { BuildManifest, PolicySpec, ReleaseTarget } from '../../../protocol/index.js';

/** A value that the release will have, wherever it stands. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  /** `api`, `config/prod.json`. */
  readonly place: string;
  /** Where it is changed. */
  readonly source: string;
  /** What the example file of the release has for it. */
  readonly example: string | null;
}

export interface PolicyFacts {
  readonly policy: PolicySpec;
  /** It has served here before. */
  readonly isRollback: boolean;
  readonly host: string;
  readonly target: ReleaseTarget;
  readonly build: {
    readonly manifest: BuildManifest | null;
    readonly packageVersion: string | null;
    /** As its source knows it. */
    readonly commit: string | null;
    readonly version: string | null;
  };
  readonly previous: { readonly id: string; readonly version: string | null } | null;
  readonly services: readonly {
    readonly name: string;
    readonly argv: readonly string[];
    readonly isNode: boolean;
    readonly env: ReadonlyMap<string, string>;
  }[];
  readonly settings: readonly Setting[];
}

export interface Offence {
  /** Which of several. */
  readonly subject?: string;
  /** What it is, where; never a value of the configuration. */
  readonly text: string;
  readonly hint: string;
}

export type Rule = (facts: PolicyFacts) => readonly Offence[];

/** What a target of production is called. */
export function isProduction(target: string): boolean {
  return /^(?:prod|production|live)$/i.test(target);
}

export function wordSetting({ key, place }: Setting, host: string): string {
  return `${key} of ${place} on host "${host}"`;
}
