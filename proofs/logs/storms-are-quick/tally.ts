/** Looks for every line of a storm: each once, in order, whole. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { createInterface } from 'node:readline';

export interface Tally {
  missing: number;
  doubled: number;
  torn: number;
}

const LINE_LENGTH = 99;

/** `files`: the oldest first. */
export async function tally(files: readonly string[], name: string, lines: number): Promise<Tally> {
  const result: Tally = { missing: lines, doubled: 0, torn: 0 };
  let next = 0;
  for (const file of files)
    for await (const line of read(file)) {
      const number =
        line.length === LINE_LENGTH && line.startsWith(`${name} `)
          ? Number(line.slice(name.length + 1, name.length + 9))
          : NaN;
      if (!(number < lines)) result.torn++;
      else if (number < next) result.doubled++;
      else {
        next = number + 1;
        result.missing--;
      }
    }
  return result;
}

function read(file: string): AsyncIterable<string> {
  const bytes = createReadStream(file);
  return createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes });
}
