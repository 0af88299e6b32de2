/** Reads the query of GET /v1/logs: which logs, which time, and what of them. */
import { STREAMS, type LogQuestion } from '../logs/index.js';
import { LOG_LEVELS, UpkeepError, type LogLevel } from '../protocol/index.js';
import { findPatternFault, MOMENT_FORMS, mostSimilar, parseDuration, parseMoment } from '../util/index.js';
import type { Exchange } from './exchange.js';

const LISTED = 20;
const CONTEXT_MS = 10_000;

/** When an attempt of a service ended, the last one that did unless it is named; undefined: none is known of. */
export type ExitFinder = (service: string, attempt: number | undefined) => Date | undefined;

interface Surroundings {
  /** Of all services, where none is named. */
  readonly services: readonly string[];
  readonly folder: string;
  readonly exitOf: ExitFinder;
  readonly now: Date;
}

type Time = Pick<LogQuestion, 'since' | 'until' | 'around'>;

export function readLogQuestion(exchange: Exchange, surroundings: Surroundings): LogQuestion {
  const { query } = exchange;
  const named = query.getAll('service');
  const time = readTime(exchange, surroundings);
  const isLimited = time.since !== null || time.around !== null || time.until !== null;
  const follow = exchange.isSet('follow');
  if (follow && (time.around || query.has('around')))
    throw badQuestion('"around" and "follow" exclude each other', 'to follow from a moment on: "since"');
  return {
    folder: surroundings.folder,
    services: surroundings.services,
    streams: readStream(query.get('stream')),
    instance: query.has('instance') ? exchange.number('instance', 0) : null,
    ...time,
    grep: readGrep(query.get('grep'), exchange.isSet('ignoreCase')),
    level: readLevel(query.get('level')),
    last: query.has('lines') || !isLimited ? exchange.number('lines', LISTED) : null,
    follow: !follow ? 'no' : named.length > 0 ? 'named' : 'new',
    encoding: readEncoding(query.get('encoding')),
  };
}

function readTime({ query }: Exchange, surroundings: Surroundings): Time {
  const [since, until, around, context] = ['since', 'until', 'around', 'context'].map((key) =>
    query.get(key)!,
  );
  const moment = (key: string, text: string | null | undefined): number | null =>
    typeof text === 'string' ? readMoment(key, text, surroundings.now) : null;
  if (typeof around !== 'string') {
    if (typeof context === 'string')
      throw badQuestion(
        '"context" needs "around"',
        'what it is the context of: around=14:05:10, or around=exit',
      );
    const time = { since: moment('since', since), until: moment('until', until), around: null };
    if (time.since !== null && time.until !== null && time.since >= time.until)
      throw badQuestion(`"since" (${since}) is not before "until" (${until})`);
    return time;
  }
  if (query.has('since') || query.has('until') || query.has('lines'))
    throw badQuestion(
      '"around" excludes "since", "until" and "lines"',
      'how much is shown around a moment: context=30s, or context=50 (lines before and after it)',
    );
  const at = around.startsWith('exit') ? exitTime(around, query, surroundings) : moment('around', around)!;
  return surround(at, context);
}

function surround(at: number, context: string | undefined | null): Time {
  const text = context ?? String(CONTEXT_MS);
  if (context && /^\d+$/.test(text)) return { since: null, until: null, around: { at, count: Number(text) } };
  const span = context ? parseDuration(text) : CONTEXT_MS;
  if (span === undefined)
    throw badQuestion(
      `context "${text}" is neither a duration nor a number of lines`,
      'as in 30s, 2m, or 50',
    );
  return { since: at - span, until: at + span + 1, around: null };
}

function exitTime(text: string, query: URLSearchParams, { exitOf }: Surroundings): number {
  const [service, ...others] = query.getAll('service');
  const [, attempt] = /^exit(?::(\d+))?$/.exec(text) ?? [];
  if (!/^exit(?::\d+)?$/.test(text))
    throw badQuestion(`"${text}" is no exit`, 'around=exit is the last one, around=exit:7 that of attempt 7');
  if (service === undefined || others.length > 0)
    throw badQuestion('around an exit only one service can be shown', 'upkeep logs <service> --around exit');
  const at = exitOf(service, attempt === undefined ? undefined : Number(attempt));
  if (at) return at.getTime();
  throw new UpkeepError(
    'exit-not-found',
    `Cannot show the logs of "${service}" around ${attempt === undefined ? 'its exit' : `the exit of attempt ${attempt}`}: ` +
      `no ${attempt === undefined ? 'attempt of it has ended' : 'such exit is known'}`,
    { hint: `see what happened to it: upkeep events --service ${service}` },
  );
}

function readMoment(key: string, text: string, now: Date): number {
  const moment = parseMoment(text, now);
  if (moment === undefined) throw badQuestion(`${key} "${text}" is no time`, `as in ${MOMENT_FORMS}`);
  return moment;
}

function readGrep(pattern: string | null, ignoresCase: boolean): LogQuestion['grep'] {
  if (pattern === null || pattern === '') return null;
  const fault = findPatternFault(pattern);
  if (!fault) return { pattern, ignoresCase };
  throw badQuestion(
    `"${pattern}" is no regular expression: ${fault.fact} at character ${fault.column}`,
    'to search for the characters themselves, put a backslash before each of \\ ^ $ . | ? * + ( ) [ {',
  );
}

function readLevel(text: string | null): LogLevel | null {
  const level = text?.toLowerCase();
  if (level === undefined || LOG_LEVELS.includes(level as LogLevel)) return (level as LogLevel) ?? null;
  const similar = mostSimilar(level, LOG_LEVELS);
  throw badQuestion(
    `there is no level "${text}"`,
    similar ? `did you mean "${similar}"?` : `there are ${LOG_LEVELS.join(', ')}`,
  );
}

function readStream(text: string | null): LogQuestion['streams'] {
  if (text === null) return STREAMS;
  if (text === 'out' || text === 'err') return [text];
  throw badQuestion(`there is no stream "${text}"`, 'there are "out" and "err"');
}

function readEncoding(text: string | null): LogQuestion['encoding'] {
  if (text === null || text === 'utf8' || text === 'latin1') return text ?? 'utf8';
  throw badQuestion(`there is no encoding "${text}"`, 'there are "utf8" and "latin1"');
}

function badQuestion(fact: string, hint?: string): UpkeepError {
  return new UpkeepError('bad-request', `Cannot show logs: ${fact}`, { hint });
}
