/**
 * Replaces what differs from one message of a kind to the next, whatever its form: addresses, paths, dates, and every word with a
 * digit in it.
 */

/** Stands for anything, also in titles. */
export const ANY = '…';

interface Rule {
  /** Without one of these there is nothing to look for. */
  readonly needs: string;
  readonly pattern: RegExp;
}

const TOP_LEVEL_DOMAINS =
  'com|net|org|edu|gov|mil|int|info|biz|io|dev|app|cloud|local|localdomain|lan|internal|corp|home|arpa|cn|hk|tw|jp|kr|in|sg|au|nz|uk|ie|de|at|ch|fr|it|es|pt|nl|be|lu|dk|se|no|fi|pl|cz|sk|hu|ro|bg|gr|tr|ru|ua|il|za|br|ar|cl|mx|ca|us|eu';
const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';

const RULES: readonly Rule[] = [
  // URLs, and connection strings
  { needs: '://', pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]]+/gi },
  // email addresses
  { needs: '@', pattern: /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g },
  // MAC and IPv6 addresses, fingerprints
  { needs: ':', pattern: /(?<!\w)[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,}(?![\w:])/gi },
  // dates with names
  {
    needs: ':',
    pattern: new RegExp(
      String.raw`(?<![\w.])(?:${DAYS}),? (?:${MONTHS}) +\d+ [\d:]+(?: [A-Z]{3,4})?(?: \d{4})?`,
      'g',
    ),
  },
  // host names
  {
    needs: '.',
    pattern: new RegExp(
      String.raw`(?<![\w.-])(?:\w(?:[\w-]*[A-Za-z0-9])?\.)+(?:${TOP_LEVEL_DOMAINS})(?![\w-]|\.\w)(?::\d+)?`,
      'g',
    ),
  },
  // paths
  { needs: '/', pattern: /(?<![\w<.])\.{0,2}\/[^\s"'<>()[\]{},;|]*[\w/…]/g },
  { needs: '\\', pattern: /(?<![\w<.])[A-Za-z]:\\[^\s"'<>()[\]{},;|]*[\w…]/g },
  { needs: '/', pattern: /(?<=\s|^)[\w.-]+(?:\/[\w.-]+)+\/[^\s"'<>()[\]{},;|]*/g },
];
/** `lifetime <1 sec`, `~20 ms` */
const ABOUT = /(?<![\w>])[<>~≈]=?(?=\d[\w.,]*(?:\s|$|[,;)]))/g;
const SEPARATORS = /([\s[\](){}<>,;:="'|]+)/;
const SPACES = /\s+/g;
const UNIT = /^(?:[kKMGTP]?i?[bB]|bytes?|[nuµm]?s|secs?|seconds?|millis|min|minutes?|hours?|days?)\.?$/;
/** What may stand between two values of one list. */
const WITHIN_LIST = /^[\s,:;|.="-]+$/;
const LONGEST_PERIOD = 8;
const MAX_WORDS = 200;

/** Words and what separates them, in turn, with `…` for what varies. Joined, they read like the message. */
export function maskedWords(message: string): string[] {
  const words: string[] = [];
  for (const [index, part] of masked(message).split(SEPARATORS).entries()) {
    if (part === '' || words.length >= MAX_WORDS) continue;
    if (index % 2 === 1) words.push(part.replace(SPACES, ' '));
    else addWord(words, varies(part) ? ANY : part);
  }
  return withoutRepetitions(withoutRestatements(words));
}

export function isSeparator(word: string): boolean {
  return SEPARATORS.test(word);
}

function masked(message: string): string {
  let text = message.trim();
  for (const { needs, pattern } of RULES) if (text.includes(needs)) text = text.replace(pattern, ANY);
  return /[<>~≈]/.test(text) ? text.replace(ABOUT, '') : text;
}

function varies(word: string): boolean {
  if (/[\d…]/.test(word)) return true;
  return (word.includes('/') && word.includes('.')) || (word.length >= 6 && /^[0-9a-f]+$/i.test(word));
}

/** `10 ms` and `1 2 3` are one value, `a=1, b=2` are two. */
function addWord(words: string[], word: string): void {
  const last = words.at(-1);
  const isAfterValue = words.length >= 2 && words.at(-2) === ANY;
  if (isAfterValue && last === ' ' && UNIT.test(word)) words.pop();
  else if (isAfterValue && word === ANY && WITHIN_LIST.test(last!)) words.pop();
  else words.push(word);
}

/** `1234 bytes (1.2 KB)` says the same twice. */
function withoutRestatements(words: string[]): string[] {
  for (let at = 0; at + 3 < words.length; at++) {
    if (words[at] !== ANY || words[at + 1] !== ' (' || words[at + 2] !== ANY) continue;
    const end = words[at + 3]!;
    if (end.startsWith(')')) words.splice(at + 1, 3, ...(end.length > 1 ? [end.slice(1)] : []));
  }
  return words;
}

/** `node … <ok> node … <ok>`: a list may have any length. */
function withoutRepetitions(words: string[]): string[] {
  if (words.indexOf(ANY) === words.lastIndexOf(ANY)) return words;
  for (let period = 2; period <= LONGEST_PERIOD; period++)
    for (let at = 0; at + 2 * period <= words.length;)
      if (isRepeated(words, at, period)) words.splice(at + period, period);
      else at++;
  return words;
}

function isRepeated(words: readonly string[], from: number, period: number): boolean {
  let hasValue = false;
  for (let at = from; at < from + period; at++) {
    if (words[at] !== words[at + period]) return false;
    hasValue ||= words[at] === ANY;
  }
  return hasValue;
}
