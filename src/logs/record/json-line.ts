/** Lines that are JSON objects: pino, bunyan, winston, and whoever writes a level and a message. */
import type { LogLevel } from '../../protocol/index.js';
import { withoutColour } from './colour.js';
import { levelOfNumber, levelOfWord } from './level.js';

export type Fields = Readonly<Record<string, unknown>>;

const LEVEL_KEYS = ['level', 'severity', 'lvl', 'levelname', 'log.level', 'loglevel', 'log_level', '@l'];
const MESSAGE_KEYS = ['msg', 'message', 'text', '@m', '@mt', 'short_message', 'event', 'log'];
/** Under which loggers put the exception. */
const ERROR_KEYS = ['err', 'error', 'exception', 'exc', 'exc_info'];

export function parseJsonLine(line: string): Fields | null {
  const text = line.trim();
  if (text.charCodeAt(0) !== 0x7b || text.charCodeAt(text.length - 1) !== 0x7d) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null; // braces alone do not make JSON
  }
}

export function levelOf(fields: Fields): LogLevel | null {
  for (const key of LEVEL_KEYS) {
    const value = fields[key];
    if (typeof value === 'number' && key.endsWith('level')) return levelOfNumber(value);
    const level = typeof value === 'string' ? levelOfWord(withoutColour(value).trim()) : null;
    if (level) return level;
  }
  return isFields(fields.log) ? levelOf(fields.log) : null; // ECS nests it: log.level
}

export function messageOf(fields: Fields): string | null {
  for (const key of MESSAGE_KEYS) {
    const value = fields[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  const error = errorOf(fields);
  return typeof error === 'string' ? error : textOf(error?.message);
}

/** The exception that a line tells of, as an object or as text. */
export function errorOf(fields: Fields): Fields | string | null {
  for (const key of ERROR_KEYS) {
    const value = fields[key];
    if (isFields(value)) return value;
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
