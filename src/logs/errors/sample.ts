/** What is kept of one occurrence: enough to understand it, and no more. */
import type { ErrorSample } from '../../protocol/index.js';
import type { StreamName } from '../log-files.js';
import type { OpenRecord } from './change.js';

const MAX_LINES = 100;
const MAX_CHARACTERS = 1000;

export function cutSample(record: OpenRecord, stream: StreamName, before: readonly string[]): ErrorSample {
  const { at, instance, attempt, lines } = record;
  return {
    at: new Date(at).toISOString(),
    instance,
    attempt,
    stream,
    before: before.map(cutLine),
    lines: lines.slice(0, MAX_LINES).map(cutLine),
    omitted: Math.max(0, lines.length - MAX_LINES),
  };
}

function cutLine(line: string): string {
  return line.length <= MAX_CHARACTERS ? line : `${line.slice(0, MAX_CHARACTERS)}…`;
}
