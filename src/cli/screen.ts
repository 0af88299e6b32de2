/**
 * The whole terminal for one command: another screen, no cursor, keys as they are pressed. Whatever ends the command, the
 * terminal is as it was.
 */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const ENDS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/** `up`, `down`, `quit`, or what was typed. */
export type Key = string;

const KEYS: Readonly<Record<string, Key>> = {
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  '\x03': 'quit',
};
/** Several may come at once. */
const EACH_KEY = /\x1b[[O].|[^]/g; // oxlint-disable-line no-control-regex

export class Screen {
  readonly #onKey: (key: Key) => void;
  readonly #onEnd: () => void;
  readonly #restore = (): void => this.leave();
  readonly #take = (chunk: string): void => {
    for (const [key] of chunk.matchAll(EACH_KEY)) this.#onKey(KEYS[key] ?? key);
  };
  readonly #end = (): void => this.#onEnd();
  #isOpen = false;

  /** `onEnd`: a signal, or the terminal has gone. */
  constructor(onKey: (key: Key) => void, onEnd: () => void) {
    this.#onKey = onKey;
    this.#onEnd = onEnd;
  }

  get width(): number {
    return process.stdout.columns || 80;
  }

  get height(): number {
    return process.stdout.rows || 24;
  }

  enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    process.on('exit', this.#restore);
    for (const signal of ENDS) process.on(signal, this.#end);
    process.stdin.setRawMode(true).setEncoding('utf8').resume();
    process.stdin.on('data', this.#take);
    process.stdin.on('end', this.#end);
    process.stdout.write(ENTER);
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n');
    process.stdout.write(`${HOME}${text}${CLEAR_BELOW}`);
  }

  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    for (const signal of ENDS) process.off(signal, this.#end);
    process.stdin.off('data', this.#take).off('end', this.#end).pause();
    process.stdin.setRawMode(false);
    process.stdout.write(LEAVE);
  }
}
