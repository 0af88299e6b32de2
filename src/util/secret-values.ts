/** Values that nobody may read, taken out of texts wherever they stand: as they are, and as URLs, Base64, hex and JSON write them. */
const MASK = '***';
/** A shorter one is a word like any other: hiding it would hide the text. */
const SHORTEST = 6;
/** Of a value of several lines, a line that is this long gives it away. */
const TELLING_LINE = 16;
/** Where a text was cut within a value, so much of it gives it away. */
const TELLING_PART = 8;

export class SecretValues {
  readonly #shortest: number;
  readonly #forms = new Set<string>();
  /** A text may begin or end within one of these: `base64` breaks its lines. */
  readonly #cores = new Set<string>();
  /** The longest first: one may be part of another. */
  #sorted: readonly string[] | undefined;

  /** @param shortest of what is hidden, in characters */
  constructor(values: Iterable<string> = [], shortest = SHORTEST) {
    this.#shortest = shortest;
    for (const value of values) this.add(value);
  }

  /** Of a URL the password, too. */
  add(value: string): void {
    if (value === '' || this.#forms.has(value)) return;
    this.#addOne(value);
    const lines = value.split(/\r?\n/).map((line) => line.trim());
    const password = passwordIn(value);
    const parts =
      password === '' ? lines.filter(({ length }) => length >= TELLING_LINE) : [password, decoded(password)];
    for (const part of parts) {
      this.#addOne(part);
      this.#addCore(part);
    }
    if (password === '') this.#addCore(value);
  }

  hide(text: string): string {
    this.#sorted ??= [...this.#forms].sort((a, b) => b.length - a.length);
    const hidden = this.#sorted.reduce((clean, form) => clean.replaceAll(form, MASK), text);
    return this.#hideEnd(this.#hideBeginning(hidden));
  }

  #hideBeginning(text: string): string {
    const cut = Math.max(0, ...[...this.#cores].map((core) => lengthOfEnding(core, text)));
    return cut > 0 ? `${MASK}${text.slice(cut)}` : text;
  }

  #hideEnd(text: string): string {
    const cut = Math.max(0, ...[...this.#cores].map((core) => lengthOfBeginning(core, text)));
    return cut > 0 ? `${text.slice(0, -cut)}${MASK}` : text;
  }

  #addOne(value: string): void {
    if (value.length < this.#shortest) return;
    const bytes = Buffer.from(value);
    for (const form of [
      value,
      encodeURIComponent(value),
      bytes.toString('base64'),
      bytes.toString('hex'),
      JSON.stringify(value).slice(1, -1),
      ...base64Within(bytes),
    ])
      this.#forms.add(form);
    this.#sorted = undefined;
  }

  #addCore(value: string): void {
    for (const core of [value, ...base64Within(Buffer.from(value))])
      if (core.length > TELLING_PART) this.#cores.add(core);
  }
}

/** A part of a URL, as it is meant. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone percent sign
  }
}

function passwordIn(value: string): string {
  return URL.canParse(value) ? new URL(value).password : '';
}

/**
 * What is certain of it in the Base64 of a longer text, which depends on how many bytes of that stand before it, by three; also as URLs
 * write it.
 */
function base64Within(bytes: Buffer): string[] {
  const found = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const core = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...new Set(found)].filter(({ length }) => length >= SHORTEST);
}

/** How much of the value the text ends with, where that is its beginning; 0: nothing that would tell. */
function lengthOfBeginning(value: string, text: string): number {
  const from = text.lastIndexOf(value.slice(0, TELLING_PART));
  return from >= 0 && value.startsWith(text.slice(from)) ? text.length - from : 0;
}

/** How much of the value the text begins with, where that is its end. */
function lengthOfEnding(value: string, text: string): number {
  const at = text.indexOf(value.slice(-TELLING_PART));
  const length = at + TELLING_PART;
  return at >= 0 && value.endsWith(text.slice(0, length)) ? length : 0;
}
