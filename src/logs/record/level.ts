/** The words and numbers by which loggers name the severity of a line. */

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const WORDS: Readonly<Record<LogLevel, string>> = {
  trace: 'trace trce trc vrb silly finest finer',
  debug: 'debug dbug dbg debg verbose fine config',
  info: 'info inf information informational notice log http',
  warn: 'warn warning wrn',
  error: 'error err eror erro fail severe',
  fatal: 'fatal ftl critical crit crt alert emerg emergency panic dpanic',
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

/** Of pino and bunyan (10 to 60, and what lies between them), or of syslog. */
export function levelOfNumber(level: number): LogLevel | null {
  if (!Number.isFinite(level) || level < 0) return null;
  if (level < 10) return SYSLOG[level] ?? null;
  return LOG_LEVELS[Math.min(Math.floor(level / 10), LOG_LEVELS.length) - 1]!;
}

/** Of the `<11>` that begins a line for syslog: facility * 8 + severity. */
export function levelOfPriority(priority: number): LogLevel | null {
  return priority > 191 ? null : SYSLOG[priority % 8]!;
}

export function isAtLeast(level: LogLevel | null, least: LogLevel): boolean {
  return level !== null && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
