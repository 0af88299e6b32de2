/** Tars byte by byte, as no tool would write them. */
const BLOCK = 512;

export interface TarPiece {
  readonly name?: string | Buffer;
  /** @default '0', a file */
  readonly type?: string;
  readonly mode?: number;
  readonly content?: string | Buffer;
  /** What the header says of the size, if not the truth. */
  readonly size?: string | Buffer;
  readonly linkName?: string;
  readonly prefix?: string;
  /** What is added to the right checksum. */
  readonly checksumError?: number;
  /** @default of POSIX */
  readonly magic?: string;
}

export const TAR_END = Buffer.alloc(2 * BLOCK);

/** With its end mark. */
export function tar(...pieces: readonly (TarPiece | Buffer)[]): Buffer {
  return Buffer.concat([tarBody(...pieces), TAR_END]);
}

export function tarBody(...pieces: readonly (TarPiece | Buffer)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : tarPiece(piece))));
}

export function tarPiece(piece: TarPiece): Buffer {
  const content = Buffer.from(piece.content ?? '');
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header(piece, content.length), content, padding]);
}

/** An extended header for the next entry (type x) or for all (g). */
export function pax(
  records: readonly (readonly [key: string, value: string])[],
  type: 'x' | 'g' = 'x',
): Buffer {
  const content = Buffer.concat(records.map(([key, value]) => paxLine(key, value)));
  return tarPiece({ name: `${type}-header`, type, content });
}

function paxLine(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(`${length}${rest}`)) length = Buffer.byteLength(`${length}${rest}`);
  return Buffer.from(`${length}${rest}`);
}

function header(piece: TarPiece, bytes: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  Buffer.from(piece.name ?? '').copy(block, 0, 0, 100);
  block.write(octal(piece.mode ?? 0o644, 8), 100, 'latin1');
  block.write(octal(0, 8), 108, 'latin1');
  block.write(octal(0, 8), 116, 'latin1');
  Buffer.from(piece.size ?? octal(bytes, 12)).copy(block, 124, 0, 12);
  block.write(octal(1_700_000_000, 12), 136, 'latin1');
  block.write(piece.type ?? '0', 156, 'latin1');
  block.write(piece.linkName ?? '', 157, 100);
  block.write(piece.magic ?? 'ustar\u000000', 257, 'latin1');
  block.write(piece.prefix ?? '', 345, 155);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, piece.checksumError ?? 0);
  block.write(octal(sum, 8), 148, 'latin1');
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
