/**
 * What was let through although a check had failed, and why: the latest thousands, when the releases themselves are forgotten. A line for
 * each, in two files of bounded size.
 */
import * as v from 'valibot';
import { WaivedCheck, type ReleaseView } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { formatLines } from '../util/index.js';

const MAX_FILE_BYTES = 1024 * 1024;

export class WaiverLog {
  readonly #file: RolledFile;
  /** Release and check: a release is looked at at each of its steps, and again by the next daemon. */
  readonly #known: Set<string>;

  constructor(path: string) {
    this.#file = new RolledFile(path, MAX_FILE_BYTES);
    this.#known = new Set(this.#read().map(keyOf));
  }

  /** Throws where it cannot be written; the next call tries again. */
  note({ id, group, requester, checks, stages }: ReleaseView): void {
    // A plan, or a release that another check has refused, comes no further.
    const through = stages.find(({ stage }) => stage === 'prepare');
    if (!through) return;
    const at = through.startedAt;
    const waived = checks.flatMap(({ name, text, waiver }): WaivedCheck[] =>
      waiver ? [{ at, release: id, group, requester, check: name, text, waiver }] : [],
    );
    const fresh = waived.filter((each) => !this.#known.has(keyOf(each)));
    if (fresh.length === 0) return;
    this.#file.append(formatLines(fresh));
    for (const each of fresh) this.#known.add(keyOf(each));
  }

  /** Newest first. */
  list(limit: number, group?: string): WaivedCheck[] {
    const wanted = this.#read().filter((each) => group === undefined || each.group === group);
    return wanted.reverse().slice(0, limit);
  }

  /** Those of another version, or torn, are passed over. */
  #read(): WaivedCheck[] {
    return this.#file.values().filter((value) => v.is(WaivedCheck, value));
  }
}

function keyOf({ release, check }: WaivedCheck): string {
  return `${release} ${check}`;
}
