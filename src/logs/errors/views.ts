/** Makes the shapes of the protocol from what is stored. */
import type { ErrorKindDetail, ErrorKindView, ErrorSample, MarkView } from '../../protocol/index.js';
import type { StoredKind, StoredMark } from './change.js';
import { isMuted, perMinute, type KindBook } from './kind-book.js';

interface KindContext {
  readonly book: KindBook;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What new means; @default the last mark */
  readonly since?: number | 'mark' | undefined;
}

export function viewKind(service: string, kind: StoredKind, context: KindContext): ErrorKindView {
  const { book, now, since = 'mark' } = context;
  const { id, title, type, at, firstAt, lastAt, count, mute } = kind;
  return {
    service,
    id,
    title,
    type,
    at,
    firstSeenAt: toIso(firstAt),
    lastSeenAt: toIso(lastAt),
    count,
    countSinceMark: book.mark ? countOf(kind, book.mark.id) : count,
    perMinute: perMinute(kind, now),
    isNew: firstAt >= (since === 'mark' ? (book.mark?.at ?? 0) : since),
    mute:
      mute && isMuted(kind, now)
        ? { ...mute, at: toIso(mute.at), until: mute.until === null ? null : toIso(mute.until) }
        : null,
  };
}

export function viewDetail(
  service: string,
  kind: StoredKind,
  { sample, ...context }: KindContext & { sample: ErrorSample | null },
): ErrorKindDetail {
  const { marks } = context.book;
  return {
    ...viewKind(service, kind, context),
    marks: marks.map((mark) => ({ mark: viewMark(service, mark), count: countOf(kind, mark.id) })),
    attempts: kind.attempts.map(([instance, attempt, count]) => ({ instance, attempt, count })),
    sample,
  };
}

export function viewMark(service: string, { id, at, kind, text }: StoredMark): MarkView {
  return { service, id, at: toIso(at), kind, text };
}

function countOf({ marks }: StoredKind, mark: number): number {
  return marks.find(([id]) => id === mark)?.[1] ?? 0;
}

function toIso(at: number): string {
  return new Date(at).toISOString();
}
