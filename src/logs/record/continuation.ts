/**
 * Decides whether a line goes on with the record before it: `begin` reads the first line of a record, `next` each one after it.
 *
 *   place ─▶ source ─▶ caret ─▶ head ─▶ message ─▶ frames      Node; Java and console.error(error) begin with `message`
 *   python ─▶ python-end ─▶ python-gap ─▶ python-link ─▶ python
 *   go        rust ─▶ rust-end        log ─▶ any of them       plain: whatever is indented
 */
import {
  CARET,
  CLOSES,
  EXCEPTION_HEAD,
  FRAME,
  GO_LINE,
  GO_PANIC,
  indentOf,
  JAVA_CAUSE,
  JAVA_LOGGING,
  NODE_PLACE,
  NODE_REMARK,
  NODE_VERSION,
  OPENS,
  PYTHON_ANNOUNCEMENT,
  PYTHON_DETAIL,
  PYTHON_GROUP,
  PYTHON_LINK,
  PYTHON_TRACEBACK,
  QUALIFIED_HEAD,
  RUST_LINE,
  RUST_PANIC,
  TIME_OR_PROCESS,
} from './trace-line.js';
import { isAtLeast } from './level.js';
import { plainLevel } from './plain-level.js';

export interface Continuation {
  readonly kind:
    | 'plain'
    | 'json'
    | 'log'
    | 'java-logging'
    | 'source'
    | 'caret'
    | 'head'
    | 'message'
    | 'frames'
    | 'frames-gap'
    | 'python'
    | 'python-end'
    | 'python-gap'
    | 'python-link'
    | 'go'
    | 'rust'
    | 'rust-end'
    | 'ended';
  /** What is indented more than the first line belongs to it. */
  readonly indent: number;
  /** An uncaught exception of Node: its message may look like anything. */
  readonly isUncaught: boolean;
  /** A bracket at the end of a line waits for the one that closes it. */
  readonly isOpen: boolean;
  /** Of an exception's message that no frame was seen after: how many lines it may still have. */
  readonly left: number;
}

/** Whether frames will come is not known yet; Prisma and zod write messages of that size. */
const MAX_MESSAGE_LINES = 24;
const MAX_UNCAUGHT_LINES = 200;

export function begin(line: string): Continuation {
  const indent = PYTHON_GROUP.test(line) ? 1 : Math.max(0, indentOf(line));
  return {
    kind: beginningOf(line),
    indent,
    isUncaught: false,
    isOpen: OPENS.test(line),
    left: MAX_MESSAGE_LINES,
  };
}

/** null: the line begins another record. */
export function next(before: Continuation, line: string): Continuation | null {
  const indent = indentOf(line);
  if (indent === -1) return afterBlank(before);
  const kind = indent > before.indent ? afterIndented(before, line) : afterUnindented(before, line);
  if (kind === null) return null;
  return {
    kind,
    indent: before.indent,
    isUncaught: before.isUncaught || kind === 'head',
    isOpen: OPENS.test(line) || (before.isOpen && !(indent <= before.indent && CLOSES.test(line))),
    left: leftAfter(before, kind),
  };
}

function leftAfter({ kind, left }: Continuation, next: Continuation['kind']): number {
  if (next === 'head') return MAX_UNCAUGHT_LINES;
  if (next !== 'message') return left;
  return kind === 'message' ? left - 1 : kind === 'head' ? left : MAX_MESSAGE_LINES;
}

function beginningOf(line: string): Continuation['kind'] {
  if (line.startsWith('{"') && line.endsWith('}')) return 'json';
  if (NODE_PLACE.test(line)) return 'source';
  if (PYTHON_TRACEBACK.test(line) || PYTHON_GROUP.test(line)) return 'python';
  if (EXCEPTION_HEAD.test(line)) return 'message';
  if (GO_PANIC.test(line)) return 'go';
  if (RUST_PANIC.test(line)) return 'rust';
  if (JAVA_LOGGING.test(line)) return 'java-logging';
  return PYTHON_ANNOUNCEMENT.test(line) || isAtLeast(plainLevel(line), 'warn') ? 'log' : 'plain';
}

function afterBlank(before: Continuation): Continuation | null {
  switch (before.kind) {
    case 'head':
    case 'go':
    case 'python-link':
      return before;
    case 'message':
      return before.left > 0 ? { ...before, left: before.left - 1 } : null;
    case 'python-end':
      return { ...before, kind: 'python-gap' };
    case 'frames':
      if (before.isUncaught && !before.isOpen) return { ...before, kind: 'frames-gap' };
      break;
    default:
  }
  return before.isOpen ? before : null;
}

function afterIndented({ kind }: Continuation, line: string): Continuation['kind'] | null {
  switch (kind) {
    case 'json':
    case 'ended':
      return null;
    case 'source':
      return 'caret';
    case 'caret':
      return CARET.test(line) ? 'head' : null;
    case 'message':
    case 'head':
    case 'log':
    case 'plain':
    case 'java-logging':
      if (FRAME.test(line)) return 'frames';
      if (kind === 'head') return 'message';
      return kind;
    case 'frames-gap':
    case 'python-gap':
      return null;
    default:
      return kind;
  }
}

function afterUnindented(before: Continuation, line: string): Continuation['kind'] | null {
  const { kind } = before;
  if (before.isOpen && CLOSES.test(line)) return kind;
  switch (kind) {
    case 'source':
      return 'caret';
    case 'caret':
      return CARET.test(line) ? 'head' : null;
    case 'head':
      return 'message';
    case 'message':
      return afterMessage(before, line);
    case 'frames':
    case 'frames-gap':
      return afterFrames(before, line);
    case 'python':
      return 'python-end';
    case 'python-end':
      return PYTHON_DETAIL.test(line) ? kind : null;
    case 'python-gap':
      return PYTHON_LINK.test(line) ? 'python-link' : null;
    case 'python-link':
      return PYTHON_TRACEBACK.test(line) ? 'python' : null;
    case 'go':
      return GO_LINE.test(line) ? kind : null;
    case 'rust':
      return 'rust-end';
    case 'rust-end':
      return RUST_LINE.test(line) ? kind : null;
    case 'java-logging':
      return isAtLeast(plainLevel(line), 'trace') ? 'log' : null;
    case 'log':
      return afterLog(line);
    case 'plain':
    case 'json':
    case 'ended':
      return null;
  }
}

function afterMessage({ isUncaught, left }: Continuation, line: string): Continuation['kind'] | null {
  if (isUncaught && NODE_VERSION.test(line)) return 'ended';
  if (JAVA_CAUSE.test(line) || NODE_REMARK.test(line)) return 'message';
  return left > 0 && (isUncaught || !beginsAnother(line)) ? 'message' : null;
}

function afterFrames({ kind, isUncaught }: Continuation, line: string): Continuation['kind'] | null {
  if (isUncaught && NODE_VERSION.test(line)) return 'ended';
  if (kind === 'frames-gap') return null;
  if (JAVA_CAUSE.test(line)) return 'message';
  return NODE_REMARK.test(line) ? 'frames' : null;
}

/** A logger printed its line, and now the exception. */
function afterLog(line: string): Continuation['kind'] | null {
  if (PYTHON_TRACEBACK.test(line)) return 'python';
  if (QUALIFIED_HEAD.test(line)) return 'message';
  return PYTHON_ANNOUNCEMENT.test(line) && /^(?:future|handle): /.test(line) ? 'log' : null;
}

function beginsAnother(line: string): boolean {
  return TIME_OR_PROCESS.test(line) || beginningOf(line) !== 'plain' || plainLevel(line) !== null;
}
