/**
 * The errors of one service: reads its logs on, counts what it finds by kind, and writes down both at once. What was not
 * written down was not read: after a killed daemon the next one reads it again, and nothing is counted twice.
 */
import { statSync } from 'node:fs';
import type { ErrorSample } from '../../protocol/index.js';
import { KindFinder, readError, type ErrorReport } from '../fingerprint/index.js';
import { LogFiles } from '../log-files.js';
import { BlockReader } from './block-reader.js';
import {
  NOTHING_READ,
  type Change,
  type NewKind,
  type OpenRecord,
  type Seen,
  type StoredMark,
  type StoredMute,
  type StoredStream,
} from './change.js';
import { ErrorFiles } from './error-files.js';
import { KindBook } from './kind-book.js';
import { readBefore } from './piece.js';
import { RecordScan } from './record-scan.js';
import { cutSample } from './sample.js';
import { strike } from './strike.js';

/** Without errors in it a log may be read again from up to this long ago, after a daemon that was killed. */
const NOTE_PLACE_MS = 10_000;
const MINUTE_MS = 60_000;
const CLOCK_TICK_MS = 100;

export interface ServiceErrorsSetup {
  /** Where the logs are. */
  readonly logFolder: string;
  /** Of what is written here. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What others may read of a line. */
  readonly hide: (line: string) => string;
  /** A kind that the service never had; it is on disk. */
  readonly onNew: (kind: { id: string; title: string; count: number }) => void;
  readonly onWarning: (message: string) => void;
}

interface Log {
  readonly files: LogFiles;
  readonly reader: BlockReader;
  readonly scan: RecordScan;
  isBehind: boolean;
  /** What is on disk of it. */
  stored: string;
}

export class ServiceErrors {
  readonly book: KindBook;
  readonly #setup: ServiceErrorsSetup;
  readonly #files: ErrorFiles;
  readonly #finder: KindFinder;
  readonly #logs = new Map<string, Log>();
  readonly #streams: Record<string, StoredStream>;
  #folderMtimeMs: number | undefined;
  #kinds: NewKind[] = [];
  #seen = new Map<string, Seen>();
  #notedAt = 0;
  /** Something is only in memory, because it could not be written. */
  #isUnsaved = false;
  #hasComplained = false;
  #saving = Promise.resolve();

  constructor(setup: ServiceErrorsSetup) {
    this.#setup = setup;
    this.#files = new ErrorFiles(setup.folder);
    const { isNew } = this.#files;
    const { snapshot, changes, note } = this.#files.load();
    this.book = new KindBook(snapshot);
    this.#finder = new KindFinder(snapshot?.finder);
    this.#streams = { ...snapshot?.streams };
    for (const change of changes) this.#learn(change);
    if (note !== undefined) setup.onWarning(note);
    if (isNew || note !== undefined) this.#beginAtEnd();
  }

  get skipped(): { readonly bytes: number; readonly isExact: boolean } {
    const places = Object.values(this.#state());
    const bytes = places.reduce((sum, { skippedBytes }) => sum + skippedBytes, 0);
    return { bytes, isExact: places.every(({ isSkippedExact }) => isSkippedExact) };
  }

  /** Whether anything was written, or something that was found may go on: some looks at sizes. */
  hasNews(): boolean {
    this.#findLogs();
    for (const log of this.#logs.values()) log.isBehind ||= log.reader.hasNews();
    return this.isBehind || this.hasOpenRecords;
  }

  get hasOpenRecords(): boolean {
    return [...this.#logs.values()].some(({ scan }) => !scan.isIdle);
  }

  /** Whether one of these may go on with an error that it has begun. */
  isOpen(isMeant: (record: OpenRecord) => boolean): boolean {
    return [...this.#logs.values()].some(({ scan }) => scan.open.some(isMeant));
  }

  get isBehind(): boolean {
    return [...this.#logs.values()].some((log) => log.isBehind);
  }

  /** One block of each of its logs. */
  readOn(): void {
    for (const log of this.#logs.values()) {
      const block = log.isBehind ? log.reader.next() : undefined;
      log.isBehind = block !== undefined;
      if (block) log.scan.scan(block);
    }
  }

  /** What grows faster than it is read is left out, up to its end. */
  skip(maxBehindBytes: number, restBytes: number): void {
    for (const { reader, scan, isBehind } of this.#logs.values()) {
      if (!isBehind || reader.behind() <= maxBehindBytes) continue;
      scan.endQuiet(Infinity);
      reader.skip(restBytes);
    }
  }

  /** A record that nobody has gone on with for so long has ended. */
  endQuiet(quietMs: number): void {
    for (const { scan, isBehind } of this.#logs.values())
      if (!isBehind) scan.endQuiet(this.#setup.now() - quietMs);
  }

  /** Writes down what was found and how far it was read; then it is told. */
  commit(isLast = false): void {
    const now = this.#setup.now();
    const isFound = this.#seen.size > 0;
    if (!isFound && !isLast && now - this.#notedAt < NOTE_PLACE_MS) return;
    const streams = this.#changedStreams();
    if (!isFound && Object.keys(streams).length === 0) return;
    this.#notedAt = now;
    const change = { kinds: this.#kinds, seen: [...this.#seen.values()], streams };
    this.#kinds = [];
    this.#seen = new Map();
    const told = change.kinds.filter(({ id }) => this.book.isUnheardOf(id));
    this.#apply(change);
    for (const { id, title } of told) this.#setup.onNew({ id, title, count: this.book.find(id)?.count ?? 1 });
  }

  mark(mark: Omit<StoredMark, 'id'>): StoredMark {
    this.commit(true);
    const full = { ...mark, id: (this.book.mark?.id ?? 0) + 1 };
    this.#apply({ mark: full });
    return full;
  }

  /** null: no more. */
  mute(id: string, mute: StoredMute | null): void {
    this.commit(true);
    this.#apply({ mute: { id, mute } });
  }

  sample(id: string): ErrorSample | undefined {
    return this.#files.readSample(id);
  }

  /** Another daemon goes on; or nobody, where the service was deleted. */
  close(): void {
    this.commit(true);
    for (const { reader } of this.#logs.values()) reader.close();
    this.#logs.clear();
  }

  /** No snapshot is being written any more, which would be renamed over a later one of the next daemon. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** Known already, whatever was written before somebody looked. */
  #beginAtEnd(): void {
    for (const files of LogFiles.in(this.#setup.logFolder))
      this.#streams[files.name] = { ...NOTHING_READ, ...BlockReader.end(files) };
    this.#apply({ streams: this.#streams });
  }

  #learn(change: Change): void {
    this.book.apply(change);
    this.book.takeEvicted();
    Object.assign(this.#streams, change.streams);
    for (const { report } of change.kinds ?? []) this.#finder.find(report as ErrorReport);
  }

  /** A log for each instance may come and go; the folder changes when a file is made or moved. */
  #findLogs(): void {
    const mtimeMs = statSync(this.#setup.logFolder, { throwIfNoEntry: false })?.mtimeMs;
    if (mtimeMs === undefined || mtimeMs === this.#folderMtimeMs) return;
    // Within one tick of the kernel's clock another file may follow.
    this.#folderMtimeMs = this.#setup.now() - mtimeMs > CLOCK_TICK_MS ? mtimeMs : undefined;
    for (const files of LogFiles.in(this.#setup.logFolder))
      if (!this.#logs.has(files.name)) this.#logs.set(files.name, this.#open(files));
  }

  #open(files: LogFiles): Log {
    const { open, ...position } = this.#streams[files.name] ?? NOTHING_READ;
    const { now, hide } = this.#setup;
    const scan = new RecordScan({ strike, now, hide, onRecord: (record) => this.#onRecord(files, record) });
    scan.restore(open);
    const stored = JSON.stringify({ ...position, open });
    return { files, reader: new BlockReader(files, position), scan, isBehind: false, stored };
  }

  #onRecord(files: LogFiles, record: OpenRecord): void {
    const report = readError(record.lines, files.stream);
    if (!report) return;
    const { id, title } = this.#finder.find(report);
    if (!this.book.find(id) && !this.#kinds.some((kind) => kind.id === id)) {
      this.#kinds.push({ id, title, type: report.type, at: report.at, firstAt: record.at, report });
      this.#keepSample(id, files, record);
    }
    this.#count(id, record);
  }

  #keepSample(id: string, files: LogFiles, record: OpenRecord): void {
    try {
      const before = readBefore(files, record).map(this.#setup.hide);
      this.#files.writeSample(id, cutSample(record, files.stream, before));
    } catch (error) {
      this.#complain(error);
    }
  }

  #count(id: string, { instance, attempt, at }: OpenRecord): void {
    const parts = [id, instance, attempt, Math.floor(at / MINUTE_MS), this.book.markAt(at)];
    const key = parts.join(' ');
    const count = (this.#seen.get(key)?.count ?? 0) + 1;
    this.#seen.set(key, { id, instance, attempt, at, count });
  }

  #apply(change: Change): void {
    try {
      this.#files.append(change);
      for (const [name, stream] of Object.entries(change.streams ?? {})) {
        const log = this.#logs.get(name);
        if (log) log.stored = JSON.stringify(stream);
      }
    } catch (error) {
      this.#isUnsaved = true; // it is in memory, and in the next snapshot
      this.#complain(error);
    }
    this.book.apply(change);
    for (const id of this.book.takeEvicted()) this.#files.removeSample(id);
    if (!this.#files.isSaving && (this.#isUnsaved || this.#files.needsSnapshot)) this.#save();
  }

  #save(): void {
    const state = { ...this.book.save(), streams: this.#state(), finder: this.#finder.save() };
    this.#isUnsaved = false;
    this.#saving = this.#files.save(state).then(
      () => void (this.#hasComplained = false),
      (error: unknown) => {
        this.#isUnsaved = true;
        this.#complain(error);
      },
    );
  }

  /** Said once, until it can be written again: where the daemon is killed before, some of it is counted again. */
  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#setup.onWarning(`what is known of its errors cannot be written: ${(error as Error).message}`);
  }

  #state(): Record<string, StoredStream> {
    const read = [...this.#logs].map(([name, log]) => [name, stateOf(log)] as const);
    return { ...this.#streams, ...Object.fromEntries(read) };
  }

  #changedStreams(): Record<string, StoredStream> {
    const changed = [...this.#logs].flatMap(([name, log]) => {
      const state = stateOf(log);
      return JSON.stringify(state) === log.stored ? [] : [[name, state] as const];
    });
    return Object.fromEntries(changed);
  }
}

function stateOf({ reader, scan }: Log): StoredStream {
  return { ...reader.position, open: scan.open };
}
