/** Looks for numbered lines of several processes in the files of one log. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/** Of one process. */
export interface Count {
  lost: number;
  doubled: number;
  torn: number;
}

const LINE = /^(\d+) (\d+) \.{79}$/;

/** `mayBeCut`: the last line of each may be half a line, which its own buffer ended with. */
export async function countLines(
  files: readonly string[],
  processes: number,
  lines: number,
  mayBeCut: boolean,
): Promise<Count[]> {
  const counts = Array.from({ length: processes }, () => ({ lost: lines, doubled: 0, torn: 0, next: 0 }));
  let torn = 0;
  for (const file of files)
    for await (const line of read(file)) {
      const [, process, number] = LINE.exec(line) ?? [];
      const count = counts[Number(process)];
      if (!count) torn++;
      else if (Number(number) < count.next) count.doubled++;
      else {
        count.next = Number(number) + 1;
        count.lost--;
      }
    }
  counts[0]!.torn = mayBeCut ? Math.max(0, torn - processes) : torn;
  return counts;
}

function read(file: string): AsyncIterable<string> {
  const bytes = createReadStream(file);
  return createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes });
}
