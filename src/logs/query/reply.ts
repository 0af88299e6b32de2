/** Answers a question: what there is, merged, and then what comes. */
import { LogReader } from '../log-reader.js';
import { toEntry, type Answer } from './answer.js';
import { Follow } from './follow.js';
import { findLast } from './last.js';
import { filterOf, logsOf, searchOf } from './filter.js';
import type { LineSearch } from './line-search.js';
import { merge } from './merge.js';
import type { Log } from './past.js';
import type { LogQuestion } from './question.js';
import { readLog } from './read-log.js';

/** undefined: it is answered. */
export function reply(question: LogQuestion, answer: Answer): Follow | undefined {
  const search = searchOf(question);
  // First of all: what comes while the past is read is told afterwards.
  const readers = question.services.flatMap((service) =>
    logsOf(question, service).map((files) => ({ service, files, reader: LogReader.atEnd(files) })),
  );
  const isFollowed = question.follow !== 'no';
  const follow = isFollowed ? new Follow(question, search, readers, answer) : undefined;
  const logs = readers.map(({ service, files, reader }): Log => {
    const { segment } = reader;
    return { service, files, end: segment && { id: segment.id, offset: segment.offset } };
  });
  if (!isFollowed) for (const { reader } of readers) reader.close();
  const { around } = question;
  if (around) tellAround(question, logs, search, around, answer);
  else tellPast({ ...question, logs, search }, answer);
  answer.flush();
  follow?.begin();
  return follow;
}

interface Past extends LogQuestion {
  readonly logs: readonly Log[];
  readonly search: LineSearch | undefined;
}

function tellPast(past: Past, answer: Answer, first = Infinity): void {
  const { logs, search, last, encoding } = past;
  const onProgress = (): void => answer.onProgress();
  const found =
    last === null ? undefined : findLast(logs, last, (log) => filterOf(past, search, log), onProgress);
  if (last === 0) return;
  const question = found ? { ...past, since: found.since } : past;
  let skip = found?.skip ?? 0;
  let left = first;
  for (const each of merge(
    logs.map((log) => ({ origin: log, steps: readLog(log, filterOf(question, search, log)) })),
  )) {
    if (!each) onProgress();
    else if (skip > 0) skip--;
    else {
      answer.add(toEntry(each.origin, each.record, encoding));
      if (--left <= 0) return;
    }
  }
}

function tellAround(
  question: LogQuestion,
  logs: readonly Log[],
  search: LineSearch | undefined,
  { at, count }: NonNullable<LogQuestion['around']>,
  answer: Answer,
): void {
  if (count === 0) return;
  tellPast({ ...question, logs, search, until: at, last: count }, answer);
  tellPast({ ...question, logs, search, since: at, last: null }, answer, count);
}
