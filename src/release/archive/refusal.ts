/** Why an archive is refused: the rule, the entry, the fact, and the next step. */
import { UpkeepError } from '../../protocol/index.js';

const REPACK = 'pack the folder anew with tar or zip, and compare what is in it with what was built';
const DISTRUST = 'do not use this archive; find out who made it, and build it anew';
const FETCH = 'fetch or build the archive again: it was damaged on its way, or changed';
const RAISE = 'if the archive is meant to be like this, raise';

/** Each rule and what to do about an archive that broke it. */
export const RULES = {
  traversal: DISTRUST,
  'absolute-path': 'pack relative to the folder: tar -C <folder> -czf <archive> .',
  'drive-letter': DISTRUST,
  backslash: 'pack with slashes between folders, as tar and zip do',
  'empty-name': DISTRUST,
  'odd-name': 'rename the file, and pack again',
  'control-character': 'rename the file, and pack again',
  encoding: 'give the file a name in UTF-8, and pack again',
  'name-length': `${RAISE} maxNameBytes, or shorten the name`,
  'path-length': `${RAISE} maxPathBytes, or shorten the path`,
  depth: `${RAISE} maxDepth`,
  duplicate: REPACK,
  'same-but-for-case': 'rename one of the two: some file systems take them for the same',
  'file-as-folder': REPACK,
  'through-link': DISTRUST,
  'link-escape': 'let the link lead to something within the archive, by a relative path',
  'link-loop': 'end the loop of links',
  'link-target': 'give the link a plain relative target',
  'hardlink-target': 'pack again with tar --hard-dereference',
  'special-mode': 'take the bit away with chmod u-s,g-s,-t, and pack again',
  device: DISTRUST,
  fifo: 'leave the FIFO out; an application makes it when it starts',
  socket: 'leave the socket out; an application makes it when it starts',
  'unknown-type': REPACK,
  'too-many-entries': `${RAISE} maxEntries`,
  'too-many-bytes': `${RAISE} maxTotalBytes`,
  ratio: `${RAISE} maxRatio`,
  size: FETCH,
  checksum: FETCH,
  truncated: FETCH,
  'trailing-bytes': FETCH,
  malformed: FETCH,
  sparse: 'pack again without --sparse',
  'extended-header': 'pack again with tar --format=ustar, or --format=pax without further options',
  'headers-differ': DISTRUST,
  overlap: DISTRUST,
  'hidden-bytes': DISTRUST,
  encrypted: 'pack again without a password',
  compression: 'pack again as .tar.gz, or as .zip with the usual method (deflate)',
  format: 'give a .tar, .tar.gz or .zip',
} as const satisfies Record<string, string>;

export type Rule = keyof typeof RULES;

/** What a rule found. */
export interface Refusal {
  readonly rule: Rule;
  /** Follows the name of the entry: `leads out of the archive`. */
  readonly fact: string;
}

export function refusal(rule: Rule, fact: string): Refusal {
  return { rule, fact };
}

/** Thrown by what reads an archive; it ends the extraction. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;
  readonly entry: string | undefined;

  constructor(refused: Refusal, entry?: string) {
    super(refused.fact);
    this.refusal = refused;
    this.entry = entry;
  }
}

export function refuse(rule: Rule, fact: string, entry?: string): never {
  throw new Refused({ rule, fact }, entry);
}

export function toError(archive: string, { refusal: { rule, fact }, entry }: Refused): UpkeepError {
  const about = entry === undefined ? 'it' : `entry ${show(entry)}`;
  return new UpkeepError('archive-refused', `Cannot extract "${archive}": ${about} ${fact} (rule ${rule})`, {
    hint: RULES[rule],
    details: { rule, ...(entry !== undefined && { entry }) },
  });
}

const SHOWN_CHARACTERS = 120;

/** In quotes, without anything that a terminal would obey or hide, and not endless. */
export function show(name: string): string {
  const whole = name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name;
  return JSON.stringify(whole).replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
