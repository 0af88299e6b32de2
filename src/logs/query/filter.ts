/** Which logs, and what of them, a question is about. */
import { join } from 'node:path';
import { LogFiles } from '../log-files.js';
import { isAtLeast } from '../record/index.js';
import { levelSearch, parseRecord } from './level-search.js';
import { lineSearch, type LineSearch } from './line-search.js';
import type { Encoding } from './lines.js';
import type { Log } from './past.js';
import type { LogQuestion } from './question.js';
import type { LogRecord } from './record-queue.js';

export interface Filter {
  readonly instance: number | null;
  readonly since: number | null;
  readonly until: number | null;
  readonly encoding: Encoding;
  /** Only records with such a line. */
  readonly search: LineSearch | undefined;
  /** Judges a record as a whole. */
  fits(record: LogRecord): boolean;
}

/** Which of them may have what is asked for. */
export function logsOf({ folder, streams, instance }: LogQuestion, service: string): LogFiles[] {
  const isAsked = (files: LogFiles): boolean =>
    streams.includes(files.stream) &&
    (instance === null || files.instance === null || files.instance === instance);
  return LogFiles.in(join(folder, service)).filter(isAsked);
}

export function filterOf(
  { instance, since, until, encoding, level }: LogQuestion,
  search: LineSearch | undefined,
  { files }: Pick<Log, 'files'>,
): Filter {
  const fits: Filter['fits'] = ({ lines }) =>
    level === null || isAtLeast(parseRecord(decoded(lines, encoding), files.stream).level, level);
  return { instance, since, until, encoding, search, fits };
}

export function searchOf({ grep, level }: LogQuestion): LineSearch | undefined {
  if (grep) return lineSearch(grep.pattern, grep);
  return level === null ? undefined : levelSearch(level);
}

function decoded(lines: readonly string[], encoding: LogQuestion['encoding']): readonly string[] {
  return encoding === 'utf8' ? lines : lines.map((line) => Buffer.from(line, 'latin1').toString('utf8'));
}
