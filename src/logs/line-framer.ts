/** Cuts a stream of chunks at line ends, so that lines of several instances can share a file without being torn. */
const NEWLINE = 0x0a;
/** A "line" longer than this is passed on in pieces: somebody writes binary data, or never ends a line. */
const MAX_LINE_BYTES = 256 * 1024;

export class LineFramer {
  #rest: Buffer | undefined;

  /** What is complete now, ending in a newline; undefined: nothing yet. */
  push(chunk: Buffer): Buffer | undefined {
    if (chunk.length === 0) return undefined;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return this.#keep(chunk);
    const complete = this.#rest
      ? Buffer.concat([this.#rest, chunk.subarray(0, end)])
      : chunk.subarray(0, end);
    // A copy, because a slice would keep the whole chunk in memory.
    this.#rest = end < chunk.length ? Buffer.from(chunk.subarray(end)) : undefined;
    return complete;
  }

  /** What was written without a line end, with one added; the writer has ended. */
  end(): Buffer | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest && Buffer.concat([rest, Buffer.from('\n')]);
  }

  #keep(chunk: Buffer): Buffer | undefined {
    this.#rest = this.#rest ? Buffer.concat([this.#rest, chunk]) : Buffer.from(chunk);
    return this.#rest.length > MAX_LINE_BYTES ? this.end() : undefined;
  }
}
