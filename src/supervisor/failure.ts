/** What is told of an operation that failed. */
import { isGivenUp } from '../core/index.js';
import { UpkeepError, type Failure } from '../protocol/index.js';

/** A bug is logged with its stack by `onInternalError`. */
export function toFailure(error: unknown, onInternalError: (error: unknown) => void): Failure {
  if (!(error instanceof UpkeepError)) {
    onInternalError(error);
    return {
      code: 'internal',
      message: `Internal error: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const lines = (error.details as { lines?: string[] } | undefined)?.lines;
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(lines && lines.length > 0 ? { lines } : {}),
  };
}

/** Also in `upkeep list`: what runs looks well, and is not what was asked for. */
export function isWorthShowing(failure: Failure): boolean {
  return !isGivenUp(failure);
}
