/** What a line says about itself: its level, and for a line of JSON its message and fields. */
import type { LogLevel } from '../../protocol/index.js';
import { levelOf, messageOf, parseJsonLine, type Fields } from './json-line.js';
import { plainLevel } from './plain-level.js';

export interface ParsedLine {
  readonly level: LogLevel | null;
  /** Of a line of JSON; null for others. */
  readonly message: string | null;
  readonly fields: Fields | null;
}

export function parseLine(line: string): ParsedLine {
  const fields = parseJsonLine(line);
  if (fields) return { level: levelOf(fields), message: messageOf(fields), fields };
  return { level: plainLevel(line), message: null, fields: null };
}
