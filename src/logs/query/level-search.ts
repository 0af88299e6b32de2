/** Which level a record has, and which lines may have one that is asked for. */
import type { StreamName } from '../log-files.js';
import { readError } from '../fingerprint/index.js';
import type { LogLevel } from '../../protocol/index.js';
import { isAtLeast, parseLine, type ParsedLine } from '../record/index.js';
import { lineSearch, type LineSearch } from './line-search.js';

/** As the words of ../record/level.ts begin, and how exceptions and crashes do that have no level. */
const WORSE_THAN_INFO =
  'warn|wrn|err|fail|severe|fatal|ftl|crit|crt|alert|emerg|panic|exception|traceback|fault|rejection|throwable|aborted|illegal|out of memory|^[WEF]\\d{4} |^<\\d{1,3}>|(?:level|lvl|severity|levelname|@l)"\\s*:\\s*"?(?:[0-4]\\b|[4-9]\\d|\\d{3})';

/** What parseLine says, and of an exception without a level that it is an error. */
export function parseRecord(lines: readonly string[], stream: StreamName): ParsedLine {
  const parsed = parseLine(lines[0] ?? '');
  if (parsed.level !== null) return parsed;
  const error = mayBeError(lines) ? readError(lines, stream) : null;
  return error ? { ...parsed, level: error.level ?? 'error' } : parsed;
}

/** undefined: nearly every line may have such a level. */
export function levelSearch(least: LogLevel): LineSearch | undefined {
  return isAtLeast(least, 'warn') ? lineSearch(WORSE_THAN_INFO, { ignoresCase: true }) : undefined;
}

const MAY_BE_ERROR =
  /error|exception|panic|traceback|fault|rejection|throwable|abort|fatal|illegal|out of memory|assert|uncaught|terminate/i;

function mayBeError(lines: readonly string[]): boolean {
  return lines.length > 1 || MAY_BE_ERROR.test(lines[0] ?? '');
}
