/** Bytes of a stream, so many at a time. */
const NOTHING = Buffer.alloc(0);

export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = NOTHING;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Fewer only at the end. */
  async read(count: number): Promise<Buffer> {
    const found: Buffer[] = [];
    for await (const chunk of this.take(count)) found.push(chunk);
    return found.length === 1 ? found[0]! : Buffer.concat(found);
  }

  /** The next so many bytes, as they come; fewer only at the end. */
  async *take(count: number): AsyncGenerator<Buffer> {
    let missing = count;
    while (missing > 0) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#next();
      if (!chunk) return;
      const taken = chunk.subarray(0, missing);
      this.#rest = chunk.subarray(taken.length);
      missing -= taken.length;
      if (taken.length > 0) yield taken;
    }
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#chunks.next();
    return done ? undefined : value;
  }
}
