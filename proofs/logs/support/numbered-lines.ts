/** Looks for the lines of proofs/logs/apps/numbers.* in all files of a log. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const MOST_FILES = 100;

/** Of one instance. */
export interface Tally {
  readonly origin: string;
  /** As it says itself. */
  written: number;
  /** The number that has to come. */
  next: number;
  found: number;
  lost: number;
  doubled: number;
  /** Lines of the whole log that are nobody's; counted for its first instance. */
  torn: number;
  /** What was wrong first. */
  example?: string;
  readonly files: number;
}

export function readLog(path: string, service: string, instances: number): Tally[] {
  const paths = [path, ...Array.from({ length: MOST_FILES }, (_, index) => `${path}.${index + 1}`)];
  const files = paths.flatMap((each) => readIfAny(each) ?? []).reverse();
  const tallies = new Map<string, Tally>();
  for (let instance = 0; instance < instances; instance++) {
    const origin = `${service}.${instance}`;
    tallies.set(origin, {
      origin,
      written: -1,
      next: 0,
      found: 0,
      lost: 0,
      doubled: 0,
      torn: 0,
      files: files.length,
    });
  }
  const [first] = tallies.values();
  for (const file of files)
    // Not trimmed: a line may end with a blank.
    for (const line of file.toString().replace(/\n$/, '').split('\n')) count(line, tallies, first!);
  for (const tally of tallies.values()) tally.lost = tally.written - tally.found;
  return [...tallies.values()];
}

/** It may be compressed, or be so while it is looked for. */
function readIfAny(path: string): Buffer | undefined {
  for (const file of [path, `${path}.gz`, path]) {
    if (!existsSync(file)) continue;
    const bytes = readFileSync(file);
    return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  }
  return undefined;
}

function count(line: string, tallies: ReadonlyMap<string, Tally>, first: Tally): void {
  const [, origin = '', number, total] = /^([a-z]+-\d\.\d) (?:(\d+) \.*|done (\d+))$/.exec(line) ?? [];
  const tally = tallies.get(origin);
  if (!tally) {
    first.torn++;
    first.example ??= `torn: ${JSON.stringify(line.slice(0, 200))}`;
  } else if (total !== undefined) tally.written = Number(total);
  else if (Number(number) < tally.next) {
    tally.doubled++;
    tally.example ??= `${number} came after ${tally.next - 1}`;
  } else {
    if (Number(number) > tally.next) tally.example ??= `${number} came after ${tally.next - 1}`;
    tally.found++;
    tally.next = Number(number) + 1;
  }
}
