/** A folder, written down to be compared: what lies in it, with modes, content and targets. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface SnapshotOptions {
  /** Of a file, from the mode that it has. @default that mode */
  readonly modeOf?: (mode: number) => number;
}

/** `path: kind mode content`, sorted. */
export function snapshot(folder: string, { modeOf = (mode) => mode }: SnapshotOptions = {}): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((path) => `${path}: ${describe(join(folder, path), modeOf)}`);
}

function describe(path: string, modeOf: (mode: number) => number): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  const mode = stat.mode & 0o7777;
  if (stat.isDirectory()) return `folder ${modeOf(mode | 0o111).toString(8)}`;
  if (!stat.isFile()) return 'something else';
  const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
  return `file ${modeOf(mode).toString(8)} ${sum}`;
}
