/** Reads the sets of loghub-2k: <name>_2k.log_structured.csv, with the columns Content and EventId. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SUFFIX = '_2k.log_structured.csv';

export interface LogSet {
  readonly name: string;
  readonly messages: readonly string[];
  /** The true group of each message. */
  readonly events: readonly string[];
}

export function readSets(folder: string): LogSet[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  return files.sort().map((file) => {
    const [head = [], ...rows] = parseCsv(readFileSync(join(folder, file), 'utf8'));
    const column = (name: string): string[] => {
      const at = head.indexOf(name);
      if (at === -1) throw new Error(`Cannot read "${file}": it has no column ${name}`);
      return rows.map((row) => row[at] ?? '');
    };
    return { name: file.slice(0, -SUFFIX.length), messages: column('Content'), events: column('EventId') };
  });
}

/** A field is bare, or in quotes with quotes doubled. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare ?? '');
    if (end !== ',' && end !== '') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
