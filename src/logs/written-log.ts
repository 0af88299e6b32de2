/** For tests: a log of one stream with its index, as a shim would have written it. */
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFiles } from './log-files.js';
import type { Mark } from './log-index.js';

interface WriteOptions {
  readonly isAppended?: boolean;
  /** The index is of another file. */
  readonly isForeign?: boolean;
  /** The clock was set back, or the file cut, and the index says so. */
  readonly hasJumped?: boolean;
}

export class WrittenLog {
  readonly folder = mkdtempSync(join(tmpdir(), 'upkeep-log-'));
  readonly files = new LogFiles(this.folder, 'out');
  #births = 1_700_000_000_000_000_000n;

  write(
    number: number,
    text: string,
    marks: readonly Mark[] | undefined,
    { isAppended = false, isForeign = false, hasJumped = false }: WriteOptions = {},
  ): void {
    const path = this.files.path(number);
    writeFileSync(path, text, { flag: isAppended ? 'a' : 'w' });
    if (!marks) return;
    const head = Buffer.alloc(32);
    head.write('upkidx1');
    head.writeBigUInt64LE(BigInt(statSync(path).ino + (isForeign ? 1 : 0)), 8);
    head.writeBigUInt64LE(++this.#births, 16);
    head.writeBigUInt64LE(hasJumped ? 1n : 0n, 24);
    const records = Buffer.concat([...(isAppended ? [] : [head]), ...marks.map(toRecord)]);
    writeFileSync(this.files.indexPath(number), records, { flag: isAppended ? 'a' : 'w' });
  }

  moveOn(number: number): void {
    const paths = [this.files.path(number), this.files.indexPath(number)];
    const targets = [this.files.path(number + 1), this.files.indexPath(number + 1)];
    for (const [index, path] of paths.entries()) if (existsSync(path)) renameSync(path, targets[index]!);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function toRecord({ at, offset, begunAt, instance, attempt }: Mark): Buffer {
  const record = Buffer.alloc(32);
  [at, offset, begunAt].forEach((value, index) => record.writeBigUInt64LE(BigInt(value), index * 8));
  record.writeUInt32LE(instance, 24);
  record.writeUInt32LE(attempt, 28);
  return record;
}
