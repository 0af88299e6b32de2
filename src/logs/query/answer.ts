/** Writes entries in the form in which the API sends them, so that the daemon only passes them on. */
import { writeSync } from 'node:fs';
import type { LogEntry } from '../../protocol/index.js';
import { parseRecord } from './level-search.js';
import type { Encoding } from './lines.js';
import type { Log } from './past.js';
import type { LogRecord } from './record-queue.js';

const BLOCK_CHARACTERS = 64 * 1024;
const COLLECT_MS = 20;
/** So often at least it is seen whether anybody listens; a comment to whoever does. */
const SIGN_OF_LIFE_MS = 500;
const COMMENT = ':\n\n';

export class Answer {
  readonly #fd: number;
  #text = '';
  #writtenAt = Date.now();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Where nobody reads, waits; where nobody can any more, throws EPIPE. */
  add(entry: LogEntry): void {
    this.#text += `data: ${JSON.stringify(entry)}\n\n`;
    if (this.#text.length >= BLOCK_CHARACTERS) this.flush();
  }

  /** What was found should not wait for what is still looked for. */
  onProgress(): void {
    const quietMs = Date.now() - this.#writtenAt;
    if (quietMs >= COLLECT_MS) this.flush();
    if (quietMs >= SIGN_OF_LIFE_MS) this.#write(COMMENT);
  }

  flush(): void {
    if (this.#text !== '') this.#write(this.#text);
    this.#text = '';
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    this.#writtenAt = Date.now();
  }
}

export function toEntry(
  { service, files }: Pick<Log, 'service' | 'files'>,
  record: LogRecord,
  encoding: Encoding,
): LogEntry {
  const { run, at, lines } = record;
  const { stream } = files;
  const parsed =
    encoding === 'utf8' ? parseRecord(lines, stream) : { level: null, message: null, fields: null };
  return {
    service,
    instance: run?.instance ?? files.instance,
    attempt: run?.attempt ?? null,
    stream,
    at: at === null ? null : new Date(at).toISOString(),
    lines: [...lines],
    ...parsed,
  };
}
