/**
 * Looks for the lines of a block that a regular expression matches, each line for itself, without taking the block apart:
 * by a text that all of them must contain, or by the expression over the block as a whole. What either finds is a
 * candidate; the line alone decides.
 */
import { isAscii } from 'node:buffer';
import { requiredLiteral } from './required-literal.js';

export interface LineSearch {
  matches(line: string): boolean;
  /** Where the first line begins that matches; -1: none does. Of blocks of whole lines. */
  find(block: Buffer): number;
}

const NEWLINE = 0x0a;
const MIN_LITERAL = 3;
/** Candidates of one block that were none: the text that was looked for is too common. */
const MAX_MISSES = 64;
/** It could see the lines beside its own. */
const LOOKS_AROUND = /\(\?<?[=!]/;

export function lineSearch(pattern: string, { ignoresCase = false } = {}): LineSearch {
  const flags = ignoresCase ? 'i' : '';
  const ofLine = new RegExp(pattern, flags);
  const ofBlock = LOOKS_AROUND.test(pattern) ? undefined : new RegExp(pattern, `${flags}gm`);
  const literal = ignoresCase ? undefined : requiredLiteral(pattern);
  const needle = literal && literal.length >= MIN_LITERAL ? Buffer.from(literal) : undefined;
  const matches = (line: string): boolean => ofLine.test(line);
  return {
    matches,
    find: (block) => {
      const { at, found } = needle ? findByLiteral(block, needle, matches) : { at: 0, found: false };
      if (found || at >= block.length) return found ? at : -1;
      return findInPieces(block, at, (piece) => findByText(piece, ofBlock, matches));
    },
  };
}

/** `at`: where the line begins, or where it was given up. */
function findByLiteral(
  block: Buffer,
  needle: Buffer,
  matches: (line: string) => boolean,
): { at: number; found: boolean } {
  let at = 0;
  for (let misses = 0; misses < MAX_MISSES; misses++) {
    const place = block.indexOf(needle, at);
    if (place < 0) return { at: block.length, found: false };
    const start = place === 0 ? 0 : block.lastIndexOf(NEWLINE, place - 1) + 1;
    const newline = block.indexOf(NEWLINE, place);
    const end = newline < 0 ? block.length : newline;
    if (matches(block.toString('utf8', start, end))) return { at: start, found: true };
    at = Math.min(block.length, end + 1);
  }
  return { at, found: false };
}

/** Text that is longer than that would live long enough to fill the memory. */
const PIECE_BYTES = 32 * 1024;

function findInPieces(block: Buffer, from: number, find: (piece: Buffer) => number): number {
  for (let start = from; start < block.length;) {
    const cut = block.lastIndexOf(NEWLINE, start + PIECE_BYTES);
    const newline = cut >= start ? cut : block.indexOf(NEWLINE, start);
    const end = newline < 0 || start + PIECE_BYTES >= block.length ? block.length : newline + 1;
    const place = find(block.subarray(start, end));
    if (place >= 0) return start + place;
    start = end;
  }
  return -1;
}

function findByText(block: Buffer, ofBlock: RegExp | undefined, matches: (line: string) => boolean): number {
  const isPlain = isAscii(block);
  const text = block.toString(isPlain ? 'latin1' : 'utf8');
  const start = findLine(text, ofBlock, matches);
  if (start < 0 || isPlain) return start;
  // Bytes that are no UTF-8 are other characters in the text; lines are the same.
  let at = 0;
  for (let place = text.indexOf('\n'); place >= 0 && place < start; place = text.indexOf('\n', place + 1))
    at = block.indexOf(NEWLINE, at) + 1;
  return at;
}

function findLine(text: string, ofBlock: RegExp | undefined, matches: (line: string) => boolean): number {
  for (let from = 0; from < text.length;) {
    let place = from;
    if (ofBlock) {
      ofBlock.lastIndex = from;
      const found = ofBlock.exec(text);
      if (!found || found.index >= text.length) return -1;
      place = found.index;
    }
    const start = place === 0 ? 0 : text.lastIndexOf('\n', place - 1) + 1;
    const newline = text.indexOf('\n', place);
    const end = newline < 0 ? text.length : newline;
    if (matches(text.slice(start, end))) return start;
    from = end + 1;
  }
  return -1;
}
