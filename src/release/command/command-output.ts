/** Takes in what a command prints: whole, masked, into a file of bounded size; and its last lines, to be told where it fails. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Mask } from './mask.js';

const LAST_LINES = 20;
const MAX_LOG_BYTES = 4 * 1024 ** 2;
/** A line that never ends is cut here. */
const MAX_LINE_CHARACTERS = 64 * 1024;

export class CommandOutput {
  readonly #mask: Mask;
  readonly #fd: number;
  readonly #onLine: (line: string) => void;
  readonly #decoders = { out: new StringDecoder('utf8'), err: new StringDecoder('utf8') };
  readonly #begun = { out: '', err: '' };
  #lines: string[] = [];
  #bytes = 0;

  constructor(log: string, mask: Mask, onLine: (line: string) => void = () => undefined) {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    this.#fd = openSync(log, 'a', 0o600);
    this.#mask = mask;
    this.#onLine = onLine;
  }

  /** Masked. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  take(stream: 'out' | 'err', chunk: Buffer): void {
    const lines = `${this.#begun[stream]}${this.#decoders[stream].write(chunk)}`.split(/\r\n|\n|\r/);
    this.#begun[stream] = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) this.#takeLine(line);
  }

  /** A line of upkeep's own. */
  say(line: string): void {
    this.#write(`── ${this.#mask(line)}\n`);
  }

  close(): void {
    for (const rest of Object.values(this.#begun)) if (rest !== '') this.#takeLine(rest);
    closeSync(this.#fd);
  }

  #takeLine(raw: string): void {
    const line = this.#mask(raw);
    this.#write(`${line}\n`);
    if (line.trim() === '') return;
    this.#lines.push(line);
    if (this.#lines.length > LAST_LINES) this.#lines.shift();
    this.#onLine(line);
  }

  #write(text: string): void {
    if (this.#bytes > MAX_LOG_BYTES) return;
    this.#bytes += Buffer.byteLength(text);
    writeSync(this.#fd, this.#bytes > MAX_LOG_BYTES ? '── what follows is left out\n' : text);
  }
}
