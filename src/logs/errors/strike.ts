/**
 * Finds bytes that stand where an error is told of: near the speed of memory, because everything that all services write
 * passes through here. What strikes is then read properly; what does not is never looked at again. So it may strike too
 * often, but must not be silent where `readError` would find something.
 *
 * The words are parts of words that begin with four rare bytes, because these decide how fast the search is.
 */
import { SearchMany } from './search-many.js';

/** A colour ends with an m. */
const BEFORE_WORD = ['\n', ' ', '[', '(', '<', '|', '=', '"', '\t', ':', 'm'];

const IN_ANY_CASE = [
  'erro', // error, TypeError:
  'eror',
  'xcep', // exception
  'fata', // fatal
  'seve', // severe
  'crit', // critical
  'lert', // alert
  'merg', // emerg, emergency
  'pani', // panic
  'fail',
  'hrow', // throwable, terminate called after throwing
  'aceba', // traceback
  'reje', // rejection
  'segmentat', // segmentation fault
  'borted', // aborted
  'caught', // uncaught
  'legal i', // illegal instruction
  'of memory',
  'ed by: ', // caused by
  'stack', // "stack":
  'vel":5', // "level":50 of pino and bunyan
  'vel":6',
  'vel": 5',
  'vel": 6',
  'lvl":5',
  'lvl":6',
  ...['0', '1', '2', '3'].flatMap((digit) => [`vel":${digit},`, `vel":${digit}}`]), // syslog, GELF
  ...['err', 'ftl', 'crt'].flatMap((word) => BEFORE_WORD.map((before) => before + word)),
];

const AS_WRITTEN = [
  'Fault',
  '  at ', // a frame of Node, or of .NET, however far it is indented
  '\tat ', // and of Java
  '*** ',
  '.java:', // a frame, whatever the exception is called
  '.kt:',
  // Below the line of an exception that nobody caught, also where it is no Error.
  '  ^\n',
  '\n ^\n',
  '^^^^',
  '  ^^',
  '\n^^^',
  ...Array.from({ length: 256 }, (_, before) => `${String.fromCharCode(before)}\n^\n`),
  '.go:', // klog: E1129 10:00:00.123456 1 server.go:12]
  // syslog: <facility * 8 + severity>, one to three digits.
  ...Array.from({ length: 192 }, (_, priority) => priority)
    .filter((priority) => priority % 8 <= 3)
    .map((priority) => `${priority < 10 ? '\n' : ''}${priority < 100 ? '<' : ''}${priority}>`),
];

const SEARCH = new SearchMany(IN_ANY_CASE, AS_WRITTEN);

/** Where the first thing strikes from there on, `from` being where a line begins; -1: nothing does. */
export function strike(lines: Uint8Array, from: number): number {
  return SEARCH.find(lines, from);
}
