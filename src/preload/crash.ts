/**
 * Says by which error this process is about to end. Node asks for it before anybody can catch it
 * (uncaughtExceptionMonitor, since 13.7); whether it was caught shows in the next turn, which there is only for who lives on.
 */
import { attempt } from './attempt.js';
import { Budget } from './budget.js';
import { setImmediate } from './timers.js';

/** A line of the channel has 400 bytes. */
const MAX_BYTES = 360;
const MAX_CHARACTERS = 300;
const MAX_WORD = 60;
/** Who catches whatever comes may throw without an end: at once, and one more in each so many milliseconds. */
const SAID = [200, 300] as const;
const PLACE = /^\s+at (?:.*\()?(?:async )?((?:file:\/\/)?[^()]+?):(\d+):\d+\)?$/;
const NOT_OWN = /^(?:node:|internal\/|\[|<)|[\\/]node_modules[\\/]|^[a-z_]+\.js$/;
const REASON = /The promise rejected with the reason "([^]*)"\.?$/;

type Monitor = (error: unknown, origin: string) => void;

export interface Crash {
  readonly type: string | null;
  readonly message: string;
  readonly at: string | null;
}

/** `say`: a word, and what belongs to it. */
export function tellCrashes(say: (word: 'crash' | 'survived' | 'rejection', crash: string) => void): void {
  const budget = new Budget(...SAID);
  const monitor: Monitor = (error, origin) => {
    if (!budget.take()) return;
    attempt(() => say('crash', pack(describe(error), 'message')));
    if (origin === 'unhandledRejection') attempt(() => say('rejection', ''));
    attempt(() => setImmediate(() => say('survived', '')));
  };
  listenUnseen(monitor);
}

/** Behind the listeners of the process, so that it has as many as ever. */
function listenUnseen(monitor: Monitor): void {
  const { _events: events } = process as unknown as { _events: object };
  if (Object.getPrototypeOf(events) !== null) return;
  const value = { value: monitor, writable: true, configurable: true };
  Object.setPrototypeOf(events, Object.create(null, { uncaughtExceptionMonitor: value }) as object);
}

function describe(error: unknown): Crash {
  const { name, message, stack } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as Partial<Error>;
  if (typeof message !== 'string' || typeof stack !== 'string')
    return { type: null, message: firstLine(textOf(error)), at: null };
  const reason = REASON.exec(message);
  return {
    type: typeof name === 'string' ? name.slice(0, MAX_WORD) : null,
    message: firstLine(reason ? reason[1]! : message),
    at: placeIn(stack),
  };
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return (require('node:util') as typeof import('node:util')).inspect(value, {
    depth: 1,
    breakLength: Infinity,
  });
}

function firstLine(text: string): string {
  const line = text.split('\n').find((each) => each.trim() !== '');
  return (line || '').trim().slice(0, MAX_CHARACTERS);
}

/** `db.js:10`: of the application itself. */
export function placeIn(stack: string): string | null {
  for (const line of stack.split('\n')) {
    const place = PLACE.exec(line);
    if (place && !NOT_OWN.test(place[1]!))
      return `${place[1]!.split(/[\\/]/).pop()}:${place[2]}`.slice(-MAX_WORD);
  }
  return null;
}

/** Its `longest` shorter and shorter until it fits. A journal is read as latin1, and `|` means something in it. */
export function pack<T extends object>(value: T, longest: keyof T): string {
  const text = value[longest];
  for (let length = typeof text === 'string' ? text.length : 0; ; length = Math.floor(length * 0.8)) {
    const shorter = typeof text === 'string' ? { [longest]: text.slice(0, length) } : {};
    const words = JSON.stringify(Object.assign({}, value, shorter)).replace(/[|\u007f-\uffff]/g, escaped);
    if (length === 0 || words.length <= MAX_BYTES) return words;
  }
}

function escaped(character: string): string {
  return `\\u${`000${character.charCodeAt(0).toString(16)}`.slice(-4)}`;
}
