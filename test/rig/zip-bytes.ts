/** Zips record by record, as no tool would write them. */
import { deflateRawSync } from 'node:zlib';

/** What a header says. */
export interface ZipWords {
  readonly name?: string | Buffer;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly packedBytes?: number;
  readonly bytes?: number;
  readonly extra?: Buffer;
}

export interface ZipPiece extends ZipWords {
  readonly content?: string | Buffer;
  /** Type and permissions, as Unix has them. @default 0o100644 */
  readonly mode?: number;
  /** The compressed bytes, if not the truth. */
  readonly packed?: Buffer;
  /** Where the two headers differ from what is said above. */
  readonly local?: ZipWords;
  readonly central?: ZipWords;
  /** Between this one and the one before. */
  readonly before?: Buffer;
  /** Behind the content. */
  readonly after?: Buffer;
  /** Its place, if the directory says another. */
  readonly offset?: number;
  /** Not in the directory. */
  readonly isHidden?: boolean;
}

export interface ZipEnd {
  readonly count?: number;
  readonly disk?: number;
  readonly offset?: number;
  readonly comment?: string;
  readonly after?: Buffer;
}

export function zip(pieces: readonly ZipPiece[], end: ZipEnd = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const piece of pieces) {
    const packed = packedOf(piece);
    add(piece.before ?? Buffer.alloc(0));
    if (!piece.isHidden) directory.push(centralHeader(piece, packed.length, at));
    add(localHeader(piece, packed.length));
    add(packed);
    add(piece.after ?? Buffer.alloc(0));
  }
  const start = at;
  for (const part of directory) add(part);
  add(endRecord(directory.length, start, at - start, end));
  add(end.after ?? Buffer.alloc(0));
  return Buffer.concat(parts);
}

export function crcOf(bytes: Buffer): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}

/** An extra field. */
export function extraField(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
}

function packedOf(piece: ZipPiece): Buffer {
  if (piece.packed) return piece.packed;
  const content = Buffer.from(piece.content ?? '');
  return piece.method === 8 ? deflateRawSync(content) : content;
}

function words(
  piece: ZipPiece,
  over: ZipWords,
  packedBytes: number,
): { fixed: Buffer; name: Buffer; extra: Buffer } {
  const content = Buffer.from(piece.content ?? '');
  const said: ZipWords = { ...piece, ...over };
  const name = Buffer.from(said.name ?? '');
  const extra = said.extra ?? Buffer.alloc(0);
  const fixed = Buffer.alloc(26);
  fixed.writeUInt16LE(20, 0);
  fixed.writeUInt16LE(said.flags ?? 0x800, 2);
  fixed.writeUInt16LE(said.method ?? 0, 4);
  fixed.writeUInt16LE(0x6000, 6);
  fixed.writeUInt16LE(0x5a21, 8);
  fixed.writeUInt32LE(said.crc ?? crcOf(content), 10);
  fixed.writeUInt32LE(said.packedBytes ?? packedBytes, 14);
  fixed.writeUInt32LE(said.bytes ?? content.length, 18);
  fixed.writeUInt16LE(name.length, 22);
  fixed.writeUInt16LE(extra.length, 24);
  return { fixed, name, extra };
}

function localHeader(piece: ZipPiece, packedBytes: number): Buffer {
  const { fixed, name, extra } = words(piece, piece.local ?? {}, packedBytes);
  return Buffer.concat([Buffer.from('PK\u0003\u0004'), fixed, name, extra]);
}

function centralHeader(piece: ZipPiece, packedBytes: number, at: number): Buffer {
  const { fixed, name, extra } = words(piece, piece.central ?? {}, packedBytes);
  const madeBy = Buffer.from([20, 3]); // Unix
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((piece.mode ?? 0o100644) << 16) >>> 0, 6);
  rest.writeUInt32LE(piece.offset ?? at, 10);
  return Buffer.concat([Buffer.from('PK\u0001\u0002'), madeBy, fixed, rest, name, extra]);
}

function endRecord(count: number, start: number, bytes: number, end: ZipEnd): Buffer {
  const record = Buffer.alloc(22);
  record.write('PK\u0005\u0006', 0, 'latin1');
  record.writeUInt16LE(end.disk ?? 0, 4);
  record.writeUInt16LE(end.count ?? count, 8);
  record.writeUInt16LE(end.count ?? count, 10);
  record.writeUInt32LE(bytes, 12);
  record.writeUInt32LE(end.offset ?? start, 16);
  const comment = Buffer.from(end.comment ?? '');
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([record, comment]);
}
