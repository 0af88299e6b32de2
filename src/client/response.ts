/**
 * Reads one HTTP/1.1 answer from a socket. Own code for one reason: node:http takes 13 ms to load, a tenth of
 * `upkeep list` as a whole. It knows what a server may send to `connection: close`: a length, chunks, or all until the end.
 */
export interface Response {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Buffer>;
}

/** The connection ended before the answer did. */
export class CutOffError extends Error {
  constructor() {
    super('the connection was closed before the end of the answer');
  }
}

export async function readResponse(source: AsyncIterable<Buffer>): Promise<Response> {
  const bytes = new ByteReader(source);
  const status = Number((await bytes.line()).split(' ')[1]);
  const headers = new Map<string, string>();
  for (let line = await bytes.line(); line !== ''; line = await bytes.line()) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, headers, body: bodyOf(headers, bytes) };
}

function bodyOf(headers: ReadonlyMap<string, string>, bytes: ByteReader): AsyncIterable<Buffer> {
  if (headers.get('transfer-encoding') === 'chunked') return chunks(bytes);
  const length = headers.get('content-length');
  return length === undefined ? untilEnd(bytes) : exactly(bytes, Number(length));
}

async function* chunks(bytes: ByteReader): AsyncGenerator<Buffer> {
  for (;;) {
    const size = Number.parseInt(await bytes.line(), 16);
    if (size === 0) return;
    yield* exactly(bytes, size);
    await bytes.line();
  }
}

async function* exactly(bytes: ByteReader, count: number): AsyncGenerator<Buffer> {
  for (let left = count; left > 0;) {
    const part = await bytes.some(left);
    if (part === undefined) throw new CutOffError();
    left -= part.length;
    yield part;
  }
}

async function* untilEnd(bytes: ByteReader): AsyncGenerator<Buffer> {
  for (let part = await bytes.some(); part !== undefined; part = await bytes.some()) yield part;
}

/** Takes bytes from the source by line or by number, wherever its pieces happen to end. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + 2);
        return line;
      }
      const more = await this.#source.next();
      if (more.done) throw new CutOffError();
      this.#rest = Buffer.concat([this.#rest, more.value]);
    }
  }

  /** At least one byte, at most `limit`; undefined at the end of the source. */
  async some(limit = Infinity): Promise<Buffer | undefined> {
    if (this.#rest.length === 0) {
      const more = await this.#source.next();
      if (more.done) return undefined;
      this.#rest = more.value;
    }
    const part = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
