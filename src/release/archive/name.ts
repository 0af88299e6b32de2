/** Which names of entries are taken, and which two are the same to some file system. */
import type { ArchiveLimits } from './limits.js';
import { refusal, type Refusal } from './refusal.js';

/** Marks that turn the direction of what is shown: `gpj.exe` looks like `exe.jpg`. */
const TURNS_TEXT = /[\u202a-\u202e\u2066-\u2069]/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
/** Not seen; of many, HFS+ does not count them when it compares. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/** The parts of a name: a leading `./` and a trailing slash are how tar writes folders, and mean nothing. */
export function partsOf(name: string): string[] {
  const bare = name.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
  return bare === '.' || bare === '' ? [] : bare.split('/');
}

/** The root itself: `.` or `./`, as tar -C folder . writes it. */
export function isRoot(name: string): boolean {
  return name === '.' || /^(?:\.\/)+\.?$/.test(name);
}

export function judgeName(name: string, limits: ArchiveLimits): Refusal | undefined {
  if (name === '') return refusal('empty-name', 'has no name');
  if (CONTROL.test(name)) return refusal('control-character', 'has a control character in its name');
  if (name.startsWith('/')) return refusal('absolute-path', 'has an absolute path');
  if (name.includes('\\')) return refusal('backslash', 'has a backslash in its name');
  if (/^[a-z]:/i.test(partsOf(name)[0] ?? '')) return refusal('drive-letter', 'starts with a drive letter');
  if (TURNS_TEXT.test(name)) return refusal('odd-name', 'has a mark in its name that turns the text around');
  if (Buffer.byteLength(name) > limits.maxPathBytes) {
    return refusal('path-length', `has a path of more than ${limits.maxPathBytes} bytes`);
  }
  const parts = partsOf(name);
  if (parts.length > limits.maxDepth) {
    return refusal('depth', `lies ${parts.length} folders deep, and ${limits.maxDepth} are allowed`);
  }
  for (const part of parts) {
    const found = judgePart(part, limits);
    if (found) return found;
  }
  return undefined;
}

function judgePart(part: string, limits: ArchiveLimits): Refusal | undefined {
  if (part === '..') return refusal('traversal', 'leads out of the folder with ".."');
  if (part === '') return refusal('odd-name', 'has two slashes in a row');
  if (part === '.') return refusal('odd-name', 'has "." within its path');
  if (/^[. ]+$/.test(part)) return refusal('odd-name', 'has a name of dots and blanks only');
  if (part.replaceAll(UNSEEN, '') !== part && /^[. ]*$/.test(part.replaceAll(UNSEEN, ''))) {
    return refusal('odd-name', 'has a name that nobody sees');
  }
  if (Buffer.byteLength(part) > limits.maxNameBytes) {
    return refusal('name-length', `has a name of more than ${limits.maxNameBytes} bytes`);
  }
  return undefined;
}

/**
 * The same for two paths that are one to some file system: case and composition (APFS), unseen characters (HFS+), dots and
 * blanks at the end (SMB).
 */
export function foldedPath(parts: readonly string[]): string {
  return parts.map(fold).join('/');
}

function fold(part: string): string {
  const seen = part.replaceAll(UNSEEN, '').normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
  return seen.replace(/[. ]+$/, '');
}
