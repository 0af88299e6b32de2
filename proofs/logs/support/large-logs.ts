/** Makes logs of gigabytes as shims write them, with their indexes, within a minute. */
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compress } from '../../../src/logs/archive/compress.js';
import { LogFiles } from '../../../src/logs/log-files.js';
import { LogSegment } from '../../../src/logs/log-segment.js';

export interface LargeLog {
  /** Of the service. */
  readonly folder: string;
  readonly files: number;
  readonly fileBytes: number;
  /** Wall clock, milliseconds since the epoch: of the first and the last line. */
  readonly from: number;
  readonly to: number;
  /** Whether the oldest file is compressed. */
  readonly isArchived: boolean;
}

/** Stands in one line of each file. */
export const NEEDLE = 'the needle that is looked for';
const LINES_A_MARK = 10;
const RECORD_BYTES = 32;
const TEMPLATE_LINES = 20_000;

/** Lines as services write them: requests in JSON and in plain text, and now and then a stack trace. */
const TEMPLATE = Array.from({ length: TEMPLATE_LINES }, (_, index) => lineOf(index));
const TEXT = Buffer.from(TEMPLATE.map((line) => `${line}\n`).join(''));
export function writeLargeLog(log: LargeLog): void {
  mkdirSync(log.folder, { recursive: true });
  const files = new LogFiles(log.folder, 'out');
  const spanMs = (log.to - log.from) / log.files;
  for (let number = log.files - 1; number >= 0; number--) {
    const from = log.from + spanMs * (log.files - 1 - number);
    writeFile(files, number, { bytes: log.fileBytes, from, spanMs });
  }
  if (log.isArchived) archive(files, log.files - 1);
}

function writeFile(
  files: LogFiles,
  number: number,
  { bytes, from, spanMs }: { bytes: number; from: number; spanMs: number },
): void {
  const rounds = Math.max(1, Math.round(bytes / TEXT.length));
  const fd = openSync(files.path(number), 'w');
  for (let round = 0; round < rounds; round++) {
    writeSync(fd, TEXT);
    if (round === rounds >> 1) writeSync(fd, `${NEEDLE}\n`);
  }
  closeSync(fd);
  const { ino, size } = statSync(files.path(number));
  const starts = markOffsets();
  const records = Buffer.alloc(RECORD_BYTES * (1 + rounds * starts.length));
  records.write('upkidx1');
  records.writeBigUInt64LE(BigInt(ino), 8);
  records.writeBigUInt64LE(BigInt(Math.round(from)) * 1_000_000n, 16);
  for (let round = 0, at = RECORD_BYTES; round < rounds; round++) {
    const begin = round * TEXT.length + (round > rounds >> 1 ? NEEDLE.length + 1 : 0);
    for (const start of starts) {
      const offset = begin + start;
      records.writeBigUInt64LE(BigInt(Math.floor(from + (spanMs * offset) / size)), at);
      records.writeBigUInt64LE(BigInt(offset), at + 8);
      records.writeBigUInt64LE(1_700_000_000_000n, at + 16);
      records.writeUInt32LE(0, at + 24);
      records.writeUInt32LE(1, at + 28);
      at += RECORD_BYTES;
    }
  }
  writeFileSync(files.indexPath(number), records);
}

function archive(files: LogFiles, number: number): void {
  const segment = LogSegment.open(files, number)!;
  const fd = openSync(files.archivePath(number), 'w');
  for (const member of compress(segment)) writeSync(fd, member);
  closeSync(fd);
  segment.close();
  rmSync(files.path(number));
  rmSync(files.indexPath(number));
}

function lineOf(index: number): string {
  const id = ((index * 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
  if (index % 2000 === 1999)
    return `TypeError: Cannot read properties of undefined (reading '${id}')\n    at load (/srv/app/db.js:10:5)\n    at /srv/app/index.js:3:1`;
  if (index % 3 === 0)
    return `GET /api/orders/${id}?page=${index % 50} 200 ${index % 900}ms - ${1000 + (index % 9000)} "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"`;
  const level = index % 500 === 1 ? 50 : index % 100 === 1 ? 40 : 30;
  return `{"level":${level},"time":${1_790_000_000_000 + index},"pid":4121,"hostname":"web-1","reqId":"${id}","route":"/api/orders/:id","ms":${index % 900},"msg":"request completed"}`;
}

let cached: number[] | undefined;

function markOffsets(): readonly number[] {
  if (cached) return cached;
  cached = [];
  let offset = 0;
  for (const [index, line] of TEMPLATE.entries()) {
    if (index % LINES_A_MARK === 0) cached.push(offset);
    offset += Buffer.byteLength(line) + 1;
  }
  return cached;
}

export function serviceFolder(home: string, service: string): string {
  return join(home, 'logs', service);
}
