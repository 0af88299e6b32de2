/** Errors of traffic: which server, at which socket, what it answered, and the next step. */
import { UpkeepError, type ErrorCode } from '../../protocol/index.js';

export interface ServerName {
  readonly backend: string;
  readonly name: string;
}

export interface Place {
  readonly server: ServerName;
  /** `take`, `let`, `look at`. */
  readonly verb: string;
}

const AFTER: Readonly<Record<string, string>> = { take: ' out of traffic', let: ' in' };

export function cannot(
  { server, verb }: Place,
  fact: string,
  {
    hint,
    code = 'release-failed',
    details,
    cause,
  }: { hint?: string; code?: ErrorCode; details?: unknown; cause?: unknown } = {},
): UpkeepError {
  const what = `Cannot ${verb} "${server.backend}/${server.name}"${AFTER[verb] ?? ''}`;
  return new UpkeepError(code, `${what}: ${fact}`, { hint, details, cause });
}

export const LAST_SERVER = { reason: 'last-server' } as const;

/** Nobody else would have served: whoever asked may go on without it. */
export function isLastServer(error: unknown): error is UpkeepError {
  const { reason } = ((error instanceof UpkeepError && error.details) || {}) as { reason?: unknown };
  return reason === LAST_SERVER.reason;
}

/** All of them as one, with what to do about each. */
export function throwFailures(settled: readonly PromiseSettledResult<unknown>[]): void {
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
  const [first] = errors;
  if (!first) return;
  const told = errors.filter((error) => error instanceof UpkeepError);
  // Given up, or a bug: that is what it came to.
  if (errors.length === 1 || told.length < errors.length) throw first;
  const hints = new Set(told.flatMap(({ hint }) => hint ?? []));
  throw new UpkeepError(told[0]!.code, told.map(({ message }) => message).join('; '), {
    hint: [...hints].join('; '),
    cause: first,
  });
}
