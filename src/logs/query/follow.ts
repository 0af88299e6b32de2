/** Tells what comes into logs, also into those that appear later. What its reader does not take waits in the files. */
import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { LogFiles } from '../log-files.js';
import { LogReader } from '../log-reader.js';
import type { LogSegment } from '../log-segment.js';
import { toEntry, type Answer } from './answer.js';
import { filterOf, logsOf, type Filter } from './filter.js';
import type { LineSearch } from './line-search.js';
import { readWholeLines } from './lines.js';
import type { LogQuestion } from './question.js';
import { RecordQueue } from './record-queue.js';

/** How long lines are collected after the first one. */
const COLLECT_MS = 10;
/** How long a record waits for another line of its own. */
const RECORD_MS = 25;
/** A folder that was deleted and made again is a new one to the kernel; some file systems tell nothing at all. */
const LOOK_ANYWAY_MS = 1000;
const READ_BYTES = 256 * 1024;

interface FollowedLog {
  readonly service: string;
  readonly files: LogFiles;
  readonly reader: LogReader;
  readonly queue: RecordQueue;
  readonly filter: Filter;
}

interface Watched {
  readonly watcher: FSWatcher | undefined;
  readonly inode: number | undefined;
}

export class Follow {
  readonly #question: LogQuestion;
  readonly #search: LineSearch | undefined;
  readonly #answer: Answer;
  readonly #logs = new Map<string, FollowedLog>();
  readonly #services: Set<string>;
  readonly #watched = new Map<string, Watched>();
  /** Names of services whose folder has news. */
  readonly #changed = new Set<string>();
  #interval: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #recordTimer: NodeJS.Timeout | undefined;

  constructor(
    question: LogQuestion,
    search: LineSearch | undefined,
    readers: readonly { service: string; files: LogFiles; reader: LogReader }[],
    answer: Answer,
  ) {
    this.#question = question;
    this.#search = search;
    this.#answer = answer;
    for (const { service, files, reader } of readers) this.#add(service, files, reader);
    this.#services = new Set(question.services);
    if (question.follow !== 'new') return;
    for (const service of this.#folders()) {
      if (this.#services.has(service)) continue;
      this.#services.add(service);
      for (const files of logsOf(question, service)) this.#add(service, files, LogReader.atEnd(files));
    }
  }

  begin(): void {
    this.#interval = setInterval(() => this.#lookAnyway(), LOOK_ANYWAY_MS);
    this.#lookAnyway();
  }

  end(): void {
    for (const timer of [this.#interval, this.#lookTimer, this.#recordTimer]) clearTimeout(timer);
    for (const { watcher } of this.#watched.values()) watcher?.close();
    for (const { reader } of this.#logs.values()) reader.close();
  }

  #lookAnyway(): void {
    if (this.#question.follow === 'new') {
      this.#watch(this.#question.folder, () => this.#onNews(undefined));
      for (const service of this.#folders()) this.#services.add(service);
    }
    for (const service of this.#services) {
      this.#watch(join(this.#question.folder, service), () => this.#onNews(service));
      this.#changed.add(service);
    }
    this.#look();
  }

  /** `service`: undefined: a folder has appeared. */
  #onNews(service: string | undefined): void {
    if (service !== undefined) this.#changed.add(service);
    if (this.#lookTimer) return;
    this.#lookTimer = setTimeout(() => {
      this.#lookTimer = undefined;
      if (service === undefined) this.#lookAnyway();
      else this.#look();
    }, COLLECT_MS);
  }

  #look(): void {
    const services = [...this.#changed];
    this.#changed.clear();
    for (const service of services) {
      for (const files of logsOf(this.#question, service)) {
        const log =
          this.#logs.get(`${service}/${files.name}`) ?? this.#add(service, files, LogReader.atOldest(files));
        if (this.#read(log)) this.#onNews(service); // there may be more than is read at a time
        this.#tell(log);
      }
    }
    this.#answer.flush();
    this.#endRecordsSoon();
  }

  #read({ reader, queue, filter }: FollowedLog): boolean {
    const lines = reader.readBy((segment: LogSegment) => {
      const read = readWholeLines(segment, { bytes: READ_BYTES, encoding: filter.encoding });
      segment.offset = read.at(-1)?.end ?? segment.offset;
      return read;
    });
    const now = Date.now();
    for (const line of lines) {
      if (filter.instance !== null && line.run?.instance !== filter.instance) continue;
      const isHit = !filter.search || filter.search.matches(line.text);
      queue.push(line, { isHit, time: now, arrivedAt: now });
    }
    return lines.length > 0;
  }

  #tell(log: FollowedLog): void {
    const { since, until, search, fits } = log.filter;
    for (const record of log.queue.take()) {
      if (search && !record.isHit) continue;
      if (record.time < (since ?? -Infinity) || record.time >= (until ?? Infinity) || !fits(record)) continue;
      this.#answer.add(toEntry(log, record, log.filter.encoding));
    }
  }

  #endRecordsSoon(): void {
    const waiting = [...this.#logs.values()].filter(({ queue }) => !queue.isEmpty);
    if (waiting.length === 0 || this.#recordTimer) return;
    this.#recordTimer = setTimeout(() => {
      this.#recordTimer = undefined;
      for (const log of waiting) {
        log.queue.flush(Date.now() - RECORD_MS + 1);
        this.#tell(log);
      }
      this.#answer.flush();
      this.#endRecordsSoon();
    }, RECORD_MS);
  }

  #add(service: string, files: LogFiles, reader: LogReader): FollowedLog {
    const filter = filterOf(this.#question, this.#search, { files });
    const log = { service, files, reader, queue: new RecordQueue(), filter };
    this.#logs.set(`${service}/${files.name}`, log);
    return log;
  }

  #folders(): string[] {
    try {
      return readdirSync(this.#question.folder);
    } catch {
      return []; // nothing was written yet
    }
  }

  #watch(folder: string, listener: () => void): void {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    const before = this.#watched.get(folder);
    if (before && before.inode === inode) return;
    before?.watcher?.close();
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(folder, listener);
      watcher.on('error', () => this.#watched.delete(folder));
    } catch {
      // no folder, or no watches left: it is looked at every second
    }
    this.#watched.set(folder, { watcher, inode });
  }
}
