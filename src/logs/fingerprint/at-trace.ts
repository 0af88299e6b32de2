/** Stacks whose frames begin with `at`: Node.js, Java, .NET. */
import { CARET, FRAME, NODE_PLACE } from '../record/trace-line.js';
import { baseOf, dotnetFrame, javaFrame, nodeFrame, type Frame } from './frame.js';
import { findHead, headAt, type Head } from './head.js';
import { limitCauses, type Trace } from './trace.js';

/** Where the stack of another exception begins. */
const NESTED = /^\s*(?:\[?cause\]?: |Caused by: |Wrapped by: |Suppressed: |\[errors\]: \[|---> )/;
const LINK = /^\s*(?:\[?(?:cause|errors)\]?: |Caused by: |Wrapped by: |Suppressed: |---> )/;
const EMITTED = /^Emitted '.*' event /;
const SYNTAX = 'SyntaxError';

export function readAtTrace(lines: readonly string[]): Trace | null {
  const caret =
    lines[0] !== undefined && NODE_PLACE.test(lines[0]) ? lines.findIndex((line) => CARET.test(line)) : -1;
  const firstFrame = lines.findIndex((line) => FRAME.test(line) && frameOf(line));
  if (caret === -1 && firstFrame === -1) return null;
  const place = caret === -1 ? undefined : placeOf(lines[0]!);
  const head = caret === -1 ? findHead(lines, firstFrame) : uncaughtHead(lines, caret + 1);
  if (!head) return null;
  const nested = nestedFrom(lines, head.line + 1);
  const own = framesIn(lines.slice(head.line + 1, nested));
  const frames = own.some(({ isOwn }) => isOwn) ? own : [...own, ...framesIn(lines.slice(nested))];
  const isPlaceBetter = place !== undefined && (head.type === SYNTAX || !frames.some(({ isOwn }) => isOwn));
  return {
    type: head.type,
    message: head.message || messageBelow(lines, head.line + 1),
    frames: head.type === SYNTAX && place !== undefined ? [] : frames,
    causes: limitCauses(causesIn(lines.slice(nested))),
    ...(isPlaceBetter && { place }),
  };
}

function frameOf(line: string): Frame | null {
  return nodeFrame(line) ?? javaFrame(line) ?? dotnetFrame(line);
}

function framesIn(lines: readonly string[]): Frame[] {
  const end = lines.findIndex((line) => EMITTED.test(line));
  return (end === -1 ? lines : lines.slice(0, end)).flatMap((line) =>
    FRAME.test(line) ? (frameOf(line) ?? []) : [],
  );
}

function nestedFrom(lines: readonly string[], from: number): number {
  const at = lines.findIndex((line, index) => index >= from && NESTED.test(line));
  return at === -1 ? lines.length : at;
}

/** Of the runtime itself says nothing. */
function placeOf(line: string): string | undefined {
  return line.startsWith('node:') || !/[\\/]/.test(line) || line.startsWith('internal/')
    ? undefined
    : baseOf(line);
}

/** Anything may be thrown. */
function uncaughtHead(lines: readonly string[], from: number): Head | null {
  const line = lines.findIndex((text, index) => index >= from && text.trim() !== '');
  if (line === -1) return null;
  return headAt(lines[line]!, line) ?? { type: null, message: lines[line]!, line };
}

function messageBelow(lines: readonly string[], from: number): string {
  const below = lines.slice(from).find((line) => line.trim() !== '');
  return below === undefined || FRAME.test(below) ? '' : below.trim();
}

function causesIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const head = FRAME.test(line) ? null : headAt(line.replace(LINK, '').trim(), 0);
    return head?.type ? [head.message ? `${head.type}: ${head.message}` : head.type] : [];
  });
}
