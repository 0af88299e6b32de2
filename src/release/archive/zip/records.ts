/**
 * The records of a zip, as yauzl reads them from the central directory, and the header before each file. What yauzl leaves to
 * its callers is judged in layout.ts and zip-entry.ts.
 */
import { fromFdPromise, type Entry, type LocalFileHeader } from 'yauzl';
import { refuse } from '../refusal.js';

export interface ZipRecord {
  readonly central: Entry;
  readonly local: LocalFileHeader;
  /** As it stands there, where it is UTF-8; else for display only. */
  readonly shownName: string;
}

export interface ZipRecords {
  readonly records: readonly ZipRecord[];
  readonly centralStart: number;
  readonly centralEnd: number;
  readonly commentBytes: number;
}

export async function readRecords(fd: number, maxEntries: number): Promise<ZipRecords> {
  // Names are judged here, and so that an error names the entry.
  const options = { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: false };
  const file = await fromFdPromise(fd, options).catch((error: Error) => refuseAs(error.message));
  const centralStart = Number(file.readEntryCursor);
  if (file.entryCount > maxEntries) {
    refuse('too-many-entries', `has ${file.entryCount} entries, and ${maxEntries} are allowed`);
  }
  const records: ZipRecord[] = [];
  let current: string | undefined;
  let doubt = '';
  try {
    for await (const central of file.eachEntry()) {
      current = nameOf(central);
      doubt = '';
      records.push({ central, local: await file.readLocalFileHeaderPromise(central), shownName: current });
      doubt = 'or the one after it ';
    }
  } catch (error) {
    refuseAs((error as Error).message, current, doubt);
  }
  const commentBytes = file.comment.length;
  return { records, centralStart, centralEnd: Number(file.readEntryCursor), commentBytes };
}

function nameOf({ fileNameRaw }: Entry): string {
  return fileNameRaw.toString('utf8');
}

/** yauzl has no codes, and its words name no entry. */
function refuseAs(message: string, entry?: string, doubt = ''): never {
  const fact = `${doubt}cannot be read: ${message}`;
  if (/truncated|EOF|overflows/i.test(message)) refuse('truncated', fact, entry);
  if (/comment length/i.test(message)) refuse('trailing-bytes', 'has bytes after its end', entry);
  if (/encrypt/i.test(message)) refuse('encrypted', `${doubt}is encrypted`, entry);
  refuse('malformed', fact, entry);
}
