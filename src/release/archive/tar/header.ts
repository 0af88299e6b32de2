/**
 * What a header of a tar says. Read here and not by a library: those forgive what has to be refused (bytes after the end, two
 * sizes, a name told twice), or mend it without a word.
 */
import { refusal, type Refusal } from '../refusal.js';
import { decodeUtf8 } from '../text.js';

export const BLOCK_BYTES = 512;

export interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkName: string;
  readonly modifiedAt: number | undefined;
}

export type ReadHeader =
  { readonly header: TarHeader } | { readonly name: string; readonly refusal: Refusal };

const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  modifiedAt: [136, 12],
  checksum: [148, 8],
  linkName: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

const POSIX = 'ustar\u000000';
const GNU = 'ustar  \0';
/** From before there was a magic word; none of the newer fields are there. */
const OLD = '\0'.repeat(8);
const BLANK = 0x20;

export function readHeader(block: Buffer): ReadHeader {
  const bareName = text(block, 'name');
  const shown = bareName ?? block.toString('latin1', 0, 100).replace(/\0.*$/s, '');
  const no = (rule: Refusal['rule'], fact: string): ReadHeader => ({
    name: shown,
    refusal: refusal(rule, fact),
  });
  if (number(block, 'checksum') !== sum(block))
    return no('malformed', 'has a header whose checksum is wrong');
  const magic = field(block, 'magic').toString('latin1');
  if (magic !== POSIX && magic !== GNU && magic !== OLD)
    return no('malformed', 'has a header of no known kind of tar');
  const prefix = magic === POSIX ? text(block, 'prefix') : '';
  const linkName = text(block, 'linkName');
  if (bareName === undefined || prefix === undefined || linkName === undefined) {
    return no('encoding', 'has a name that is not UTF-8');
  }
  const mode = number(block, 'mode');
  const sizeBytes = number(block, 'size');
  if (mode === undefined) return no('malformed', 'has a mode that is no number');
  if (sizeBytes === undefined) return no('malformed', 'has a size that is no number');
  return {
    header: {
      name: prefix === '' ? bareName : `${prefix}/${bareName}`,
      type: String.fromCharCode(block[156]!),
      mode: mode & 0o7777,
      sizeBytes,
      linkName,
      modifiedAt: number(block, 'modifiedAt'),
    },
  };
}

export function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function field(block: Buffer, name: keyof typeof FIELDS): Buffer {
  const [start, length] = FIELDS[name];
  return block.subarray(start, start + length);
}

function text(block: Buffer, name: keyof typeof FIELDS): string | undefined {
  const bytes = field(block, name);
  const end = bytes.indexOf(0);
  return decodeUtf8(end === -1 ? bytes : bytes.subarray(0, end));
}

/** Octal digits; or, as GNU writes what is too large for them, binary after a byte of 0x80. */
function number(block: Buffer, name: keyof typeof FIELDS): number | undefined {
  const bytes = field(block, name);
  if (bytes[0] === 0x80) {
    const value = Number(BigInt(`0x${bytes.subarray(1).toString('hex')}`));
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const [, digits] = /^ *([0-7]*)[\0 ]*$/.exec(bytes.toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits || '0', 8);
}

/** Of all bytes, with blanks in place of the sum itself. */
function sum(block: Buffer): number {
  const [start, length] = FIELDS.checksum;
  return block.reduce((total, byte, at) => total + (at >= start && at < start + length ? BLANK : byte), 0);
}
