/** The words and numbers by which loggers name the severity of a line. */

import type { LogLevel } from '../../protocol/index.js';

/** The list of the protocol, without its schemas: a process that only reads logs does not load them. */
const LOG_LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
] as const satisfies readonly LogLevel[];

const WORDS: Readonly<Record<LogLevel, string>> = {
  trace: 'trace trce trc vrb silly finest finer',
  debug: 'debug dbug dbg debg verbose fine',
  info: 'info inf information informational notice log',
  warn: 'warn warning wrn',
  error: 'error err fail severe',
  fatal: 'fatal ftl critical crit alert emerg emergency panic dpanic',
};

const LEVEL_OF_WORD: ReadonlyMap<string, LogLevel> = new Map(
  LOG_LEVELS.flatMap((level) => WORDS[level].split(' ').map((word) => [word, level] as const)),
);
const LONGEST_WORD = Math.max(...[...LEVEL_OF_WORD.keys()].map((word) => word.length));

/** Of syslog, 0 to 7; GELF has them in its field `level`. */
const SYSLOG: readonly LogLevel[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

/** Those that no sentence begins with in capitals; the others need a mark beside them, as `LOG:` or `[http]`. */
const CAPITALS = new Set(
  'TRACE DEBUG INFO NOTICE WARN WARNING ERROR ERR SEVERE FATAL CRITICAL CRIT ALERT EMERG PANIC'.split(' '),
);

/** In any spelling: `WARN`, `Warning`, `wrn`. */
export function levelOfWord(word: string): LogLevel | null {
  return word.length > LONGEST_WORD ? null : (LEVEL_OF_WORD.get(word.toLowerCase()) ?? null);
}

export function isLevelInCapitals(word: string): boolean {
  return CAPITALS.has(word);
}

/** Of pino and bunyan (10 to 69), or of syslog. */
export function levelOfNumber(level: number): LogLevel | null {
  if (!Number.isFinite(level) || level < 0) return null;
  if (level < 10) return SYSLOG[level] ?? null;
  return LOG_LEVELS[Math.floor(level / 10) - 1] ?? null;
}

/** Of the `<11>` that begins a line for syslog: facility * 8 + severity. */
export function levelOfPriority(priority: number): LogLevel | null {
  return priority > 191 ? null : SYSLOG[priority % 8]!;
}

export function isAtLeast(level: LogLevel | null, least: LogLevel): boolean {
  return level !== null && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
