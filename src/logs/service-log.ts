/** What the instances of one service write: into out.log and err.log, to followers, and the last lines for an exit. */
import { join } from 'node:path';
import type { LogLine } from '../protocol/index.js';
import { LineFramer } from './line-framer.js';
import { LogFile } from './log-file.js';

export type StreamName = 'out' | 'err';
export type LogListener = (line: LogLine) => void;

const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

/** Where one stream of one attempt goes. */
export interface LogSink {
  write(chunk: Buffer): void;
  /** The writer has ended: an unfinished line is finished. */
  end(): void;
  /** The last lines of this attempt, oldest first. */
  tail(): string[];
}

export class ServiceLog {
  readonly service: string;
  readonly #files: Record<StreamName, LogFile>;
  readonly #listeners = new Set<LogListener>();

  constructor(folder: string, service: string) {
    this.service = service;
    this.#files = {
      out: new LogFile(join(folder, service, 'out.log')),
      err: new LogFile(join(folder, service, 'err.log')),
    };
  }

  path(stream: StreamName): string {
    return this.#files[stream].path;
  }

  sink(instance: number, stream: StreamName, onLines?: (lines: Buffer) => void): LogSink {
    const framer = new LineFramer();
    let tail = Buffer.alloc(0);
    const pass = (lines: Buffer | undefined): void => {
      if (!lines) return;
      this.#files[stream].append(lines);
      tail = lastBytes(tail, lines);
      onLines?.(lines);
      if (this.#listeners.size > 0) this.#tell(instance, stream, lines);
    };
    return {
      write: (chunk) => pass(framer.push(chunk)),
      end: () => pass(framer.end()),
      tail: () => splitLines(tail).slice(-TAIL_LINES),
    };
  }

  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#files.out.close();
    this.#files.err.close();
  }

  #tell(instance: number, stream: StreamName, lines: Buffer): void {
    for (const line of splitLines(lines)) {
      for (const listener of this.#listeners) listener({ service: this.service, instance, stream, line });
    }
  }
}

function splitLines(buffer: Buffer): string[] {
  const lines = buffer.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function lastBytes(tail: Buffer, lines: Buffer): Buffer<ArrayBuffer> {
  if (lines.length >= TAIL_BYTES) return Buffer.from(lines.subarray(-TAIL_BYTES));
  return Buffer.concat([tail.subarray(-(TAIL_BYTES - lines.length)), lines]);
}
