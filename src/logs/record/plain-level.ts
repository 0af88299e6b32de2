/**
 * Finds the level of a plain line, where a logger put it: after times, process ids, names in brackets and the like.
 *
 * The line is read from its start, token by token, for as long as everything is such a prefix. A word of the message is never
 * reached, so `user said ERROR` has no level.
 */
import type { LogLevel } from '../../protocol/index.js';
import { withoutColour } from './colour.js';
import { isLevelInCapitals, levelOfPriority, levelOfWord } from './level.js';

const MAX_PREFIX = 200;

const PRIORITY = /^<(\d{1,3})>/;
/** `E1129 10:00:00.123456    1 server.go:12] message` */
const KLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+:\d+\]/;
const KLOG_LEVELS: Readonly<Record<string, LogLevel>> = { I: 'info', W: 'warn', E: 'error', F: 'fatal' };
/** `npm ERR! code E404` */
const NPM = /^npm (ERR!|error|WARN|warn)(?= )/;

const SPACE = /[\s|*•–—]+/y;
const DASHES = /-{1,3}(?=\s|$)/y;
const TIME = /\d[\d:.,/TZ+-]*[Z\])]?[,:]?(?=[\s|\]]|$)/y;
const WORD_OF_TIME =
  /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec|AM|PM|UTC|GMT|CES?T|[EPCM][SD]T)[,.]?(?=[\s\]]|$)/y;
const BRACKETS =
  /\[([^\][]{0,80}(?:\[[^\][]{0,40}\])?[^\][]{0,40})\]:?|\(([^()]{0,60})\):?|<([\w ]{1,12})>:?/y;
const LEVEL_IN_BRACKETS = /^(?:.*[\s:|])?([A-Za-z]+)$/;
const PAIR = /([\w.@-]+)=("(?:[^"\\]|\\.)*"|\S*)/y;
const LEVEL_KEY = /^(?:level|lvl|severity|loglevel)$/;
/** Upper case anywhere in the prefix; other spellings need a colon, which makes them more than a word of a sentence. */
const WORD = /([A-Za-z]+)(:|(?=[\s|\]]|$))/y;
/** `name - `, `host prog[12]:`, `a.b.C:`; only after a time. */
const NAME_BEFORE_DASH = /[\w.$/:@#-]+(?=\s+[-|]\s)/y;
const SYSLOG_NAMES = /(?:[\w.-]+ )?[\w./@-]+(?:\[\d+\])?:(?=\s)/y;
/** Ruby's `E, [2026-11-29T10:00:00 #12] ERROR -- : message` */
const RUBY = /[DIWEFA], (?=\[)/y;

export function plainLevel(line: string): LogLevel | null {
  const text = withoutColour(line.length > MAX_PREFIX ? line.slice(0, MAX_PREFIX) : line);
  return markedLevel(text) ?? levelAfterPrefix(text);
}

function markedLevel(text: string): LogLevel | null {
  const code = text.charCodeAt(0);
  if (code === 0x3c) {
    const priority = PRIORITY.exec(text);
    return priority && levelOfPriority(Number(priority[1]));
  }
  const klog = KLOG.exec(text);
  if (klog) return KLOG_LEVELS[klog[1]!]!;
  const npm = NPM.exec(text);
  return npm && (npm[1]!.toLowerCase().startsWith('e') ? 'error' : 'warn');
}

function levelAfterPrefix(text: string): LogLevel | null {
  let at = 0;
  let hasTime = false;
  let names = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    if (take(SPACE) || take(DASHES)) continue;
    if (at === 0 && take(RUBY)) continue;
    const brackets = take(BRACKETS);
    if (brackets) {
      const word = LEVEL_IN_BRACKETS.exec((brackets[1] ?? brackets[2] ?? brackets[3] ?? '').trim());
      const level = word && levelOfWord(word[1]!);
      if (level) return level;
      hasTime ||= /\d\d:\d\d/.test(brackets[0]);
      continue;
    }
    if (take(TIME) || take(WORD_OF_TIME)) {
      hasTime = true;
      continue;
    }
    const pair = take(PAIR);
    if (pair) {
      if (LEVEL_KEY.test(pair[1]!)) return levelOfWord(pair[2]!.replaceAll('"', ''));
      continue;
    }
    const from = at;
    const word = take(WORD);
    if (word) {
      const level = levelOfWord(word[1]!);
      if (level && (word[2] === ':' || isLevelInCapitals(word[1]!))) return level;
      at = from;
    }
    if (names++ < 3 && hasTime && (take(NAME_BEFORE_DASH) || take(SYSLOG_NAMES))) continue;
    return null;
  }
  return null;
}
