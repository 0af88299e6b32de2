/** Which kinds of errors are new since a release began, and whose they are: by who wrote the lines, where the log says so. */
import { redactText } from '../../config/index.js';
import type { NewErrorKind } from '../../core/index.js';
import { UpkeepError, type ErrorKindDetail, type ErrorsView } from '../../protocol/index.js';
import type { SideView } from '../../supervisor/index.js';

/** What a release asks of `KnownErrors` (logs/errors/). */
export interface ReleaseErrors {
  /** When it resolves, what these have written by now is known. */
  catchUp(writers: readonly Pick<SideView, 'service' | 'instance' | 'attempt'>[]): Promise<void>;
  list(query: {
    readonly services: readonly string[];
    readonly isNew: boolean;
    readonly since: number;
    readonly withMuted: boolean;
  }): ErrorsView;
  show(id: string, service: string): ErrorKindDetail[];
}

const MAX_LINE = 200;

export class NewKinds {
  readonly #errors: ReleaseErrors;
  readonly #since: number;
  readonly #refused: ReadonlySet<string>;
  /** `instance attempt` by service and side, of all that were ever seen: one that is gone has written as well. */
  readonly #writers = new Map<string, Record<SideView['side'], Set<string>>>();

  /**
   * `since`: wall clock, milliseconds: when the first new instance was started. `refused`: kinds that releases before were not good for; that they
   * have been seen then does not make them known.
   */
  constructor(errors: ReleaseErrors, since: number, refused: ReadonlySet<string> = new Set()) {
    this.#errors = errors;
    this.#since = since;
    this.#refused = refused;
  }

  look(views: readonly SideView[]): ReadonlyMap<string, readonly NewErrorKind[]> {
    for (const { service, side, instance, attempt } of views) {
      const writers = this.#writers.get(service) ?? { old: new Set(), new: new Set() };
      this.#writers.set(service, writers);
      writers[side].add(`${instance} ${attempt}`);
    }
    return new Map([...this.#writers.keys()].map((service) => [service, this.#of(service)] as const));
  }

  #of(service: string): readonly NewErrorKind[] {
    try {
      const { kinds } = this.#errors.list({
        services: [service],
        isNew: this.#refused.size === 0,
        since: this.#since,
        withMuted: false,
      });
      const unknown = kinds.filter(({ isNew, id }) => isNew || this.#refused.has(id));
      return unknown.flatMap(({ id }) => this.#errors.show(id, service)).map((kind) => this.#kindOf(kind));
    } catch (error) {
      // A service that is only made by this release has no book yet; a kind may make room between two questions.
      const isMissing = error instanceof UpkeepError && /^(service|error)-not-found$/.test(error.code);
      if (isMissing) return [];
      throw error;
    }
  }

  #kindOf({ service, id, title, count, at, attempts, sample }: ErrorKindDetail): NewErrorKind {
    const { old, new: young } = this.#writers.get(service)!;
    const isOf = (writers: ReadonlySet<string>): boolean =>
      attempts.some(({ instance, attempt }) => writers.has(`${instance} ${attempt}`));
    const [isOld, isNew] = [isOf(old), isOf(young)];
    return {
      id,
      title: redactText(title),
      count,
      firstLine: firstLine(sample?.lines ?? []) ?? (at === null ? null : `at ${at}`),
      by: isNew ? (isOld ? 'both' : 'new') : isOld ? 'old' : 'unknown',
    };
  }
}

/** Of a stack: as Node and Java print it, Python, and within a line of JSON. */
function firstLine(lines: readonly string[]): string | undefined {
  const text = lines.join('\n');
  const [line] =
    /(?<=^\s+)at .+/m.exec(text) ??
    /(?<=\\n\s+)at .+?(?=\\n|"|$)/.exec(text) ??
    /(?<=^\s*)File ".+", line \d+.*/m.exec(text) ??
    [];
  return line && redactText(line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line);
}
