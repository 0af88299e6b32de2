/**
 * The files of the errors of one service, in a folder that stays when the service is deleted, as its logs do:
 *
 *   kinds.json       a snapshot, one line
 *   kinds.jsonl      changes since then, one line each; those that the snapshot contains already are passed over
 *   kinds.jsonl.1    the same while a snapshot is being written: it goes when that is on disk
 *   samples/<id>     one occurrence of each kind, written before the kind itself
 *
 * What a kill cuts off is the last line, which then never happened: it is taken off, and its errors are read once more.
 */
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ErrorSample } from '../../protocol/index.js';
import { readIfAny } from '../../system/index.js';
import { ChangeLine, ERRORS_FORMAT, Snapshot, type Change } from './change.js';

/** Beyond this a snapshot is written. */
const MAX_JOURNAL_BYTES = 256 * 1024;
const PRIVATE_FILE = { mode: 0o600 };
const PRIVATE_FOLDER = { recursive: true, mode: 0o700 } as const;

export interface LoadedErrors {
  /** undefined: there is none yet. */
  readonly snapshot: Snapshot | undefined;
  readonly changes: readonly Change[];
  /** What was unusual, in words. */
  readonly note: string | undefined;
}

export class ErrorFiles {
  readonly folder: string;
  #seq = 0;
  #journalBytes = 0;
  #isTorn = false;
  #isSaving = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Nothing at all: this service was never looked at. */
  get isNew(): boolean {
    return [this.#snapshot, this.#journal, this.#before].every((path) => sizeOf(path) === undefined);
  }

  load(): LoadedErrors {
    const { snapshot, note } = this.#readSnapshot();
    const lines = [this.#before, this.#journal].flatMap((path) => parseChanges(readIfAny(path)));
    const later = lines.filter(({ seq }) => seq > (snapshot?.seq ?? 0)).toSorted((a, b) => a.seq - b.seq);
    this.#seq = later.at(-1)?.seq ?? snapshot?.seq ?? 0;
    this.#cutTorn();
    return { snapshot, changes: later, note };
  }

  /** When it returns, the change is kept whatever becomes of the daemon. Throws where the disk is full. */
  append(change: Change): void {
    if (this.#isTorn) this.#cutTorn();
    const line = `${JSON.stringify({ seq: this.#seq + 1, ...change })}\n`;
    if (this.#journalBytes === 0) mkdirSync(this.folder, PRIVATE_FOLDER);
    this.#isTorn = true; // until all of it is written
    appendFileSync(this.#journal, line, PRIVATE_FILE);
    this.#isTorn = false;
    this.#seq++;
    this.#journalBytes += Buffer.byteLength(line);
  }

  get needsSnapshot(): boolean {
    return this.#journalBytes > MAX_JOURNAL_BYTES;
  }

  get isSaving(): boolean {
    return this.#isSaving;
  }

  /** Of everything that was appended so far. */
  async save(state: Omit<Snapshot, 'format' | 'seq'>): Promise<void> {
    const text = this.#encode(state);
    this.#isSaving = true;
    try {
      mkdirSync(this.folder, PRIVATE_FOLDER);
      // Where one from before is still there, its snapshot was never finished: this one contains it, too.
      if (sizeOf(this.#before) === undefined && sizeOf(this.#journal) !== undefined)
        renameSync(this.#journal, this.#before);
      this.#journalBytes = sizeOf(this.#journal) ?? 0;
      const file = await open(`${this.#snapshot}.new`, 'w', PRIVATE_FILE.mode);
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${this.#snapshot}.new`, this.#snapshot);
      await rm(this.#before, { force: true });
    } finally {
      this.#isSaving = false;
    }
  }

  writeSample(id: string, sample: ErrorSample): void {
    mkdirSync(join(this.folder, 'samples'), PRIVATE_FOLDER);
    const path = this.#sample(id);
    writeFileSync(`${path}.new`, JSON.stringify(sample), PRIVATE_FILE);
    renameSync(`${path}.new`, path);
  }

  readSample(id: string): ErrorSample | undefined {
    const text = readIfAny(this.#sample(id));
    const result = v.safeParse(ErrorSample, text === undefined ? undefined : parseJson(text));
    return result.success ? result.output : undefined;
  }

  removeSample(id: string): void {
    rmSync(this.#sample(id), { force: true });
  }

  get #snapshot(): string {
    return join(this.folder, 'kinds.json');
  }

  get #journal(): string {
    return join(this.folder, 'kinds.jsonl');
  }

  get #before(): string {
    return `${this.#journal}.1`;
  }

  #sample(id: string): string {
    return join(this.folder, 'samples', `${id.replaceAll(/[^\w-]/g, '-')}.json`);
  }

  #encode(state: Omit<Snapshot, 'format' | 'seq'>): string {
    return `${JSON.stringify({ format: ERRORS_FORMAT, seq: this.#seq, ...state } satisfies Snapshot)}\n`;
  }

  /** What cannot be understood is put aside and not lost; counting begins anew. */
  #readSnapshot(): Pick<LoadedErrors, 'snapshot' | 'note'> {
    const text = readIfAny(this.#snapshot);
    if (text === undefined) return { snapshot: undefined, note: undefined };
    const result = v.safeParse(Snapshot, parseJson(text));
    if (result.success) return { snapshot: result.output, note: undefined };
    const aside = `${this.#snapshot}.unreadable`;
    renameSync(this.#snapshot, aside);
    for (const path of [this.#before, this.#journal]) rmSync(path, { force: true });
    return { snapshot: undefined, note: `what was known of errors cannot be read, it is in ${aside}` };
  }

  /** Half a line at the end of the journal. */
  #cutTorn(): void {
    const size = sizeOf(this.#journal);
    const whole = size === undefined ? 0 : readFileSync(this.#journal).lastIndexOf('\n') + 1;
    if (whole < (size ?? 0)) truncateSync(this.#journal, whole);
    this.#journalBytes = whole;
    this.#isTorn = false;
  }
}

function parseChanges(text = ''): (Change & { readonly seq: number })[] {
  return text.split('\n').flatMap((line) => {
    const result = v.safeParse(ChangeLine, line === '' ? undefined : parseJson(line));
    return result.success ? [result.output] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the schema
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
