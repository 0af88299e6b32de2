/** What every source can do: look at all that it has and choose, and bring what was chosen into the store. */
import type { ReleaseCandidate, ReleaseTarget } from '../../protocol/index.js';
import type { StoredArtifact } from '../artifact-store.js';
import type { BuildChoice } from '../job.js';

export interface Finding {
  /** Everything that was looked at, with why it was taken or not. */
  readonly candidates: readonly ReleaseCandidate[];
  readonly choice: BuildChoice | null;
  /** Where nothing is chosen: what is so, and the next step. */
  readonly fact: string;
  readonly remedy: string;
}

export interface Source {
  /** Throws where the source cannot be asked at all. */
  find(target: ReleaseTarget): Promise<Finding>;
  bring(choice: BuildChoice): Promise<StoredArtifact>;
}

export function found(choice: BuildChoice, candidates: readonly ReleaseCandidate[]): Finding {
  return { candidates, choice, fact: '', remedy: '' };
}

export function nothing(fact: string, remedy: string, candidates: readonly ReleaseCandidate[] = []): Finding {
  return { candidates, choice: null, fact, remedy };
}

/** With what is not said of it. */
export function candidate(
  known: Pick<ReleaseCandidate, 'name' | 'verdict'> & Partial<ReleaseCandidate>,
): ReleaseCandidate {
  return {
    pipeline: null,
    origin: null,
    status: '-',
    archive: null,
    expiresAt: null,
    url: null,
    isChosen: false,
    ...known,
  };
}
