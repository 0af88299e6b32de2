/** What is known of the errors of all services, and what users say about them. */
import {
  UpkeepError,
  type ErrorKindDetail,
  type ErrorKindView,
  type ErrorsView,
  type MarkView,
} from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { StoredKind, StoredMark } from './change.js';
import type { ErrorWatch } from './error-watch.js';
import { isMuted } from './kind-book.js';
import type { ServiceErrors } from './service-errors.js';
import { viewDetail, viewKind, viewMark } from './views.js';

export interface ErrorsQuery {
  /** Empty: all. */
  readonly services: readonly string[];
  readonly isNew: boolean;
  /** Milliseconds since the epoch, or the last mark of each service; undefined: with `isNew` that, otherwise everything. */
  readonly since: number | 'mark' | undefined;
  readonly withMuted: boolean;
}

/** Who has written to the logs of a service. */
export interface LogWriter {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
}

export interface MuteOptions {
  readonly reason: string;
  readonly owner: string;
  readonly forMs: number | null;
}

interface Found {
  readonly service: string;
  readonly errors: ServiceErrors;
  readonly kind: StoredKind;
}

export class KnownErrors {
  readonly #watch: ErrorWatch;
  readonly #now: () => number;

  constructor(watch: ErrorWatch, now: () => number) {
    this.#watch = watch;
    this.#now = now;
  }

  /** When it resolves, what these have written by now is known. */
  async catchUp(writers: readonly LogWriter[]): Promise<void> {
    const catchUp = (service: string): Promise<void> => {
      const those = writers.filter((each) => each.service === service);
      return this.#watch.catchUp(service, ({ instance, attempt }) =>
        those.some((each) => each.instance === instance && each.attempt === attempt),
      );
    };
    await Promise.all([...new Set(writers.map(({ service }) => service))].map(catchUp));
  }

  /** Those that were seen last come first. */
  list({ services, isNew, since, withMuted }: ErrorsQuery): ErrorsView {
    const now = this.#now();
    const names = services.length === 0 ? this.#watch.services : services;
    const views = names.map((service) => {
      const errors = this.#require(service, 'show the errors of');
      const { book, skipped } = errors;
      const from = since === 'mark' || (since === undefined && isNew) ? (book.mark?.at ?? 0) : (since ?? 0);
      const kinds = book.kinds
        .filter((kind) => (withMuted || !isMuted(kind, now)) && (isNew ? kind.firstAt : kind.lastAt) >= from)
        .map((kind) => viewKind(service, kind, { book, now, since }));
      return {
        kinds,
        service: {
          service,
          mark: book.mark ? viewMark(service, book.mark) : null,
          kinds: book.kinds.length,
          muted: book.kinds.filter((kind) => isMuted(kind, now)).length,
          skippedBytes: skipped.bytes,
          isSkippedExact: skipped.isExact,
          forgotten: book.forgottenCount,
        },
      };
    });
    return {
      kinds: views
        .flatMap(({ kinds }) => kinds)
        .sort((a, b) => Date.parse(b.lastSeenAt) - Date.parse(a.lastSeenAt)),
      services: views.map(({ service }) => service),
    };
  }

  /** Kinds that are new since the last mark, and not muted. */
  countNew(service: string): number {
    const book = this.#watch.find(service)?.book;
    if (!book) return 0;
    const [now, from] = [this.#now(), book.mark?.at ?? 0];
    return book.kinds.filter((kind) => kind.firstAt >= from && !isMuted(kind, now)).length;
  }

  /** `id`: its beginning is enough. */
  show(id: string, service: string | null): ErrorKindDetail[] {
    return this.#find(id, service, 'show').map(({ service: name, errors, kind }) =>
      viewDetail(name, kind, { book: errors.book, now: this.#now(), sample: errors.sample(kind.id) ?? null }),
    );
  }

  mute(id: string, service: string | null, { reason, owner, forMs }: MuteOptions): ErrorKindView[] {
    const at = this.#now();
    const until = forMs === null ? null : at + forMs;
    return this.#change(id, service, 'mute', { reason, owner, at, until });
  }

  unmute(id: string, service: string | null): ErrorKindView[] {
    return this.#change(id, service, 'unmute', null);
  }

  /** What is first seen from now on is new. Empty: of all services. */
  mark(services: readonly string[], kind: StoredMark['kind'], text: string): MarkView[] {
    const names = services.length === 0 ? this.#watch.services : [...new Set(services)];
    const found = names.map((name) => [name, this.#require(name, 'set a mark for')] as const);
    return found.map(([name, errors]) => viewMark(name, errors.mark({ at: this.#now(), kind, text })));
  }

  /** Also of a service that is only to be made; one that a former daemon has begun is marked already. */
  markOperation(services: readonly string[], text: string): void {
    for (const service of new Set(services)) {
      const errors = this.#watch.watch(service);
      if (errors && errors.book.mark?.text !== text)
        errors.mark({ at: this.#now(), kind: 'operation', text });
    }
  }

  #change(id: string, service: string | null, verb: string, mute: StoredKind['mute']): ErrorKindView[] {
    return this.#find(id, service, verb).map(({ service: name, errors, kind }) => {
      errors.mute(kind.id, mute);
      return viewKind(name, kind, { book: errors.book, now: this.#now() });
    });
  }

  /** Of one kind, in each service that has it. */
  #find(id: string, service: string | null, verb: string): Found[] {
    const names = service === null ? this.#watch.services : [service];
    const found = names.flatMap((name) => {
      const errors = this.#require(name, `${verb} the errors of`);
      const kinds = errors.book.kinds.filter((kind) => isMeant(kind, id));
      return kinds.map((kind) => ({ service: name, errors, kind }));
    });
    const ids = new Set(found.map(({ kind }) => kind.id));
    if (ids.size === 0) throw notFound(id, verb);
    if (ids.size > 1) throw ambiguous(id, verb, [...ids]);
    return found;
  }

  #require(service: string, verb: string): ServiceErrors {
    const errors = this.#watch.find(service);
    if (errors) return errors;
    const similar = mostSimilar(service, this.#watch.services);
    throw new UpkeepError('service-not-found', `Cannot ${verb} "${service}": there is no such service`, {
      hint: similar === undefined ? 'see what there is: upkeep list' : `did you mean "${similar}"?`,
    });
  }
}

/** With the version of the algorithm or without. */
function isMeant(kind: StoredKind, id: string): boolean {
  return kind.id.startsWith(id) || kind.id.slice(kind.id.indexOf(':') + 1).startsWith(id);
}

function notFound(id: string, verb: string): UpkeepError {
  return new UpkeepError('error-not-found', `Cannot ${verb} error "${id}": there is no kind with this id`, {
    hint: 'see what there is: upkeep errors --muted',
  });
}

function ambiguous(id: string, verb: string, ids: readonly string[]): UpkeepError {
  return new UpkeepError('bad-request', `Cannot ${verb} error "${id}": it may be each of ${ids.join(', ')}`, {
    hint: 'write more of the id',
  });
}
