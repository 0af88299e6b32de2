/**
 * What was let through although a check had failed, and why: kept when the release itself is long forgotten. A line for each, in two files of
 * bounded size, some thousand lines.
 */
import * as v from 'valibot';
import { WaivedCheck, type ReleaseView } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { formatLines } from '../util/index.js';

const MAX_FILE_BYTES = 1024 * 1024;

export class WaiverLog {
  readonly #file: RolledFile;
  readonly #wall: () => Date;
  /** Release and check: a release is looked at at each of its steps, and again by the next daemon. */
  readonly #known: Set<string>;

  constructor(path: string, wall: () => Date) {
    this.#file = new RolledFile(path, MAX_FILE_BYTES);
    this.#wall = wall;
    this.#known = new Set(this.#read().map(keyOf));
  }

  /** Throws where it cannot be written; the next call tries again. */
  note({ id, group, kind, requester, checks }: ReleaseView): void {
    if (kind === 'plan') return; // which lets nothing through
    const at = this.#wall().toISOString();
    const waived = checks.flatMap(({ name, text, waiver }): WaivedCheck[] =>
      waiver ? [{ at, release: id, group, requester, check: name, text, waiver }] : [],
    );
    const fresh = waived.filter((each) => !this.#known.has(keyOf(each)));
    if (fresh.length === 0) return;
    this.#file.append(formatLines(fresh));
    for (const each of fresh) this.#known.add(keyOf(each));
  }

  /** Newest first. */
  list(limit: number): WaivedCheck[] {
    return this.#read().reverse().slice(0, limit);
  }

  /** Those of another version, or torn, are passed over. */
  #read(): WaivedCheck[] {
    return this.#file.values().filter((value) => v.is(WaivedCheck, value));
  }
}

function keyOf({ release, check }: WaivedCheck): string {
  return `${release} ${check}`;
}
