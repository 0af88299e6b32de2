/** From offsets in a text to lines and columns. */
import type { Path, Position } from '../diagnostic.js';

/** Where a path of the configuration stands in the source; the nearest ancestor that can be found. */
export type Locate = (path: Path, at: 'key' | 'value') => Location | null;

export interface Location extends Position {
  /** The value itself is written there, and not an expression that yields it. */
  readonly isLiteral: boolean;
}

/** The range of a key and of its value; an item of a list and the whole file have no key. */
export interface Place {
  readonly key: readonly [start: number, end: number] | null;
  readonly value: readonly [start: number, end: number] | null;
  /** Maps and lists are pointed at by their key, because they begin on another line or with a bracket. */
  readonly isCollection: boolean;
  readonly isLiteral: boolean;
}

export function positionAt(text: string, start: number, end = start + 1): Position {
  const lineStart = text.slice(0, start).lastIndexOf('\n') + 1;
  const line = text.slice(0, lineStart).split('\n').length;
  const lineEnd = text.indexOf('\n', start);
  const stop = Math.min(end, lineEnd === -1 ? text.length : lineEnd);
  return { line, column: start - lineStart + 1, length: Math.max(1, stop - start) };
}

export function positionOf(text: string, place: Place, at: 'key' | 'value'): Location | null {
  const prefersKey = at === 'key' || place.isCollection;
  const range = prefersKey ? (place.key ?? place.value) : (place.value ?? place.key);
  return range && { ...positionAt(text, ...range), isLiteral: place.isLiteral };
}
