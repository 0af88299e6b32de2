/** The two ways out of a command: results for programs and people on stdout, everything else on stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** For thousands of lines: what comes together is written together. */
export class Output {
  readonly #encoding: 'utf8' | 'latin1';
  #text = '';
  #isPlanned = false;

  constructor(encoding: 'utf8' | 'latin1') {
    this.#encoding = encoding;
  }

  add(text: string): void {
    this.#text += `${text}\n`;
    if (this.#text.length >= BLOCK_CHARACTERS) return this.flush();
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#isPlanned = false;
    if (this.#text !== '') process.stdout.write(this.#text, this.#encoding);
    this.#text = '';
  }
}

const BLOCK_CHARACTERS = 64 * 1024;
