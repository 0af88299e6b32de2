/** Makes records of lines whose writers take turns, in the order in which the records began. */
import type { LogRun } from '../log-index.js';
import { RecordAssembler } from '../record/index.js';
import type { Line } from './lines.js';

export interface LogRecord {
  /** Of its first line. */
  readonly offset: number;
  /** Where the index does not say, when the file was written last. */
  readonly time: number;
  readonly at: number | null;
  readonly run: LogRun | null;
  readonly lines: readonly string[];
  /** One of its lines was looked for. */
  readonly isHit: boolean;
}

interface Circumstances {
  readonly isHit: boolean;
  /** Of lines of which nothing is known. */
  readonly time: number;
  /** Where lines are followed: the index is exact to 50 ms only. @default its own time */
  readonly arrivedAt?: number | undefined;
}

interface Begun {
  readonly first: Line;
  readonly time: number;
  isHit: boolean;
  lines: readonly string[] | undefined;
}

interface Writer {
  readonly assembler: RecordAssembler;
  record: Begun;
  lastTime: number;
}

/** Nobody goes on with a stack trace after so long. */
const MAX_PAUSE_MS = 1000;
const MAX_WAITING = 5000;

export class RecordQueue {
  readonly #writers = new Map<string, Writer>();
  #begun: Begun[] = [];
  #time = 0;

  push(line: Line, { isHit, time, arrivedAt }: Circumstances): void {
    const at = line.at ?? time;
    if (at !== this.#time) this.flush((this.#time = at) - MAX_PAUSE_MS);
    if (this.#begun.length >= MAX_WAITING) this.flush();
    const writer = this.#writers.get(line.writer);
    const ended = writer ? writer.assembler.push(line.text) : null;
    if (writer && !ended) {
      writer.record.isHit ||= isHit;
      writer.lastTime = arrivedAt ?? at;
      return;
    }
    if (writer) writer.record.lines = ended!;
    this.#begin(line, writer, { isHit, time: at, arrivedAt });
  }

  /** Those that are whole and behind none that is not. */
  take(): LogRecord[] {
    const open = this.#begun.findIndex(({ lines }) => lines === undefined);
    const whole = this.#begun.splice(0, open < 0 ? this.#begun.length : open);
    return whole.map(({ first: { offset, at, run }, time, lines, isHit }) => ({
      offset,
      time,
      at,
      run,
      lines: lines!,
      isHit,
    }));
  }

  /** No more lines come for those whose last one is older. */
  flush(before = Infinity): void {
    for (const [name, { assembler, record, lastTime }] of this.#writers) {
      if (lastTime >= before) continue;
      record.lines = assembler.flush() ?? [];
      this.#writers.delete(name);
    }
  }

  /** Forgets what is not whole. */
  clear(): void {
    this.#writers.clear();
    this.#begun = [];
  }

  /** A record that was looked for is not whole yet. */
  get hasOpenHit(): boolean {
    return this.#begun.some(({ lines, isHit }) => isHit && lines === undefined);
  }

  get isEmpty(): boolean {
    return this.#begun.length === 0;
  }

  #begin(line: Line, writer: Writer | undefined, { isHit, time, arrivedAt = time }: Circumstances): void {
    const record: Begun = { first: line, time, isHit, lines: undefined };
    this.#begun.push(record);
    if (writer) {
      writer.record = record;
      writer.lastTime = arrivedAt;
      return;
    }
    const assembler = new RecordAssembler();
    assembler.push(line.text);
    this.#writers.set(line.writer, { assembler, record, lastTime: arrivedAt });
  }
}

/** Where the record begins that a line belongs to; `floor`: nothing before that is looked at. */
export function recordStart(
  floor: number,
  {
    before,
    read,
  }: {
    /** Where the line begins that is so many before. */
    readonly before: (count: number) => number;
    /** The lines from there up to and with that line. */
    readonly read: (from: number) => readonly Line[];
  },
): number {
  for (let count = FIRST_LINES; ; count *= 4) {
    const from = before(count);
    const lines = read(from);
    const { writer } = lines.at(-1)!;
    const own = lines.filter((line) => line.writer === writer);
    const assembler = new RecordAssembler();
    let start = own[0]!.offset;
    for (const line of own) if (assembler.push(line.text)) start = line.offset;
    if (start > own[0]!.offset || from <= floor || count >= MAX_LINES) return start;
  }
}

const FIRST_LINES = 32;
/** No record has more. */
const MAX_LINES = 1000;
