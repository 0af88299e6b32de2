/**
 * Decides whether a record tells of an error, and of which.
 *
 * A stack trace does, unless its logger says that it is less than a warning; so does a line with the level error or fatal, and
 * one without a level that begins like an exception or a crash.
 */
import type { LogLevel } from '../../protocol/index.js';
import { CARET, JAVA_LOGGING } from '../record/trace-line.js';
import { withoutColour } from '../record/colour.js';
import { errorOf, textOf, type Fields } from '../record/json-line.js';
import { isAtLeast, parseLine, type ParsedLine } from '../record/index.js';
import { readAtTrace } from './at-trace.js';
import { headAt, headWithin } from './head.js';
import { readGoPanic, readRustPanic } from './panic.js';
import { readPythonTrace } from './python-trace.js';
import type { Trace } from './trace.js';

export interface ErrorReport {
  /** `TypeError`, `java.io.IOException`, `panic`; null where only a message is known. */
  readonly type: string | null;
  /** One line. */
  readonly message: string;
  /** The first frame of the application: `db.js:10`. */
  readonly at: string | null;
  /** Those of the application, the innermost first, without line and folder. */
  readonly frames: readonly string[];
  /** `TypeError: message` of the exceptions that led to it, or that it gathers. */
  readonly causes: readonly string[];
  readonly level: LogLevel | null;
}

const MAX_MESSAGE = 1000;
const MAX_FRAMES = 50;
const STACK_KEYS = ['stack', 'stack_trace', 'stacktrace', 'exc_info', 'traceback', 'exception'];
/** How runtimes and shells speak of an end that no exception tells of. */
const CRASH =
  /^(?:Segmentation fault|Bus error|Aborted|Illegal instruction|Floating point exception|FATAL ERROR: |terminate called |Out of memory|\*\*\* .* \*\*\*|.*: Assertion [`'].*failed|PHP (?:Fatal|Parse) error: |(?:\(node:\d+\) )?Unhandled ?[Pp]romise ?[Rr]ejection|Uncaught )/;
/** Node says the same of it in the line before. */
const REPEATED = /^\(node:\d+\) UnhandledPromiseRejectionWarning: Unhandled promise rejection\. /;

export function readError(record: readonly string[], stream: 'out' | 'err'): ErrorReport | null {
  const first = record[0];
  if (first === undefined) return null;
  const line = parseLine(first);
  if (line.fields) return readFields(line, line.fields);
  const level = JAVA_LOGGING.test(first) ? parseLine(record[1] ?? '').level : line.level;
  const trace = readTrace(record);
  if (trace) return level === null || isAtLeast(level, 'warn') ? report(trace, level) : null;
  return readPlain(first, line.level, stream);
}

export function readTrace(lines: readonly string[]): Trace | null {
  if (lines.length < 2) return null;
  return readPythonTrace(lines) ?? readGoPanic(lines) ?? readRustPanic(lines) ?? readAtTrace(lines);
}

function readFields({ level, message }: ParsedLine, fields: Fields): ErrorReport | null {
  const error = errorOf(fields);
  const about = typeof error === 'object' && error !== null ? error : fields;
  const stack = stackOf(about) ?? stackOf(fields) ?? (typeof error === 'string' ? error : message);
  const trace = stack?.includes('\n') ? readTrace(stack.split('\n')) : null;
  const isError =
    level === null ? trace !== null || about !== fields : isAtLeast(level, trace ? 'warn' : 'error');
  if (!isError) return null;
  if (trace) return report({ ...trace, type: trace.type ?? typeOf(about) }, level);
  const text = (about === fields ? null : textOf(about.message)) ?? message ?? textOf(error) ?? '';
  const head = headAt(text, 0);
  const type = (about === fields ? null : typeOf(about)) ?? head?.type ?? null;
  return report({ type, message: head ? head.message : text, frames: [], causes: [] }, level);
}

function stackOf(fields: Fields): string | null {
  for (const key of STACK_KEYS) {
    const text = textOf(fields[key]);
    if (text?.includes('\n')) return text;
  }
  return null;
}

function typeOf(error: Fields): string | null {
  return textOf(error.type) ?? textOf(error.name) ?? textOf(error.class);
}

function readPlain(line: string, level: LogLevel | null, stream: 'out' | 'err'): ErrorReport | null {
  if (CARET.test(line) || REPEATED.test(line)) return null;
  const text = withoutPrefix(line);
  const begun = headAt(text, 0);
  const head = begun ?? headWithin(text);
  const isError =
    level === null ? headAt(line, 0) !== null || isCrash(line, stream) : isAtLeast(level, 'error');
  if (!isError) return null;
  return report({ type: head?.type ?? null, message: begun?.message || text, frames: [], causes: [] }, level);
}

function isCrash(line: string, stream: 'out' | 'err'): boolean {
  return stream === 'err' && CRASH.test(line);
}

/** Times differ from line to line, and are no part of what is said. */
function withoutPrefix(line: string): string {
  return withoutColour(line)
    .replace(
      /^[\s[(]*(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?[\])]*[\s|-]*/,
      '',
    )
    .trim();
}

function report(trace: Trace, level: LogLevel | null): ErrorReport {
  const own = trace.frames.filter(({ isOwn }) => isOwn);
  return {
    type: trace.type,
    message: trace.message.slice(0, MAX_MESSAGE),
    at: trace.place ?? own[0]?.place ?? null,
    frames: own.slice(0, MAX_FRAMES).map(({ name }) => name),
    causes: trace.causes,
    level,
  };
}
