/**
 * A file over the network, to the disk: hashed while it is written, taken up again where it broke off. It is taken up only where
 * the server says that it is still the same file (`If-Range` with a strong ETag or a date), else begun anew.
 */
import type { IncomingMessage } from 'node:http';
import { open, type FileHandle } from 'node:fs/promises';
import { readDisk } from '../../../system/index.js';
import { formatBytes, parseBytes } from '../../../util/index.js';
import { Digests, readDigest, type Algorithm, type Checksum } from './checksum.js';
import type { Answer, Ask } from './exchange.js';
import { Passing } from './failure.js';
import { piecesOf } from './pieces.js';
import type { Web } from './web.js';

export interface Downloaded {
  readonly sha256: string;
  readonly bytes: number;
}

export interface DownloadOptions {
  readonly checksums: readonly Checksum[];
  /** What an answer that is none of the file means. */
  refuse(answer: Omit<Answer, 'body'>): Error;
}

const SAY_EVERY_MS = 250;
/** Left to everyone else. */
const SPARE_BYTES = 64 * 1024 ** 2;

export async function download(
  web: Web,
  ask: Ask,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const file = await open(path, 'wx', 0o600);
  try {
    const downloaded = await new Transfer(web, ask, file, path, options).run();
    await file.sync();
    return downloaded;
  } finally {
    await file.close();
  }
}

class Transfer {
  readonly #web: Web;
  readonly #ask: Ask;
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #options: DownloadOptions;
  #digests: Digests;
  /** Of what came at last. */
  #results: ReadonlyMap<Algorithm, string> = new Map();
  #bytes = 0;
  /** As far as it has ever come. */
  #mark = 0;
  /** By which the server knows the file that was begun; null: it cannot be taken up. */
  #validator: string | null = null;
  #isTakenUp = false;
  #mayTakeUp = true;
  /** What the server itself says about the file. */
  #said: Checksum[] = [];
  #saidAt = 0;

  constructor(web: Web, ask: Ask, file: FileHandle, path: string, options: DownloadOptions) {
    this.#web = web;
    this.#ask = ask;
    this.#file = file;
    this.#path = path;
    this.#options = options;
    this.#digests = new Digests(options.checksums.map(({ algorithm }) => algorithm));
  }

  async run(): Promise<Downloaded> {
    let sha256 = await this.#pull();
    if (this.#wrong() && this.#isTakenUp) {
      this.#mayTakeUp = false; // pieces of two files, perhaps: now in one go
      await this.#beginAnew();
      sha256 = await this.#pull();
    }
    const wrong = this.#wrong();
    if (!wrong) return { sha256, bytes: this.#bytes };
    const { algorithm, hex, saidBy } = wrong;
    throw this.#web.scene.error(
      'source-failed',
      `what came from ${this.#ask.url.host} has ${algorithm} ${this.#results.get(algorithm)}, but ${saidBy} says ${hex}`,
      'do not use it: it was damaged or changed on its way, or published again; compare it with what was built',
    );
  }

  async #pull(): Promise<string> {
    await this.#web.again(() => this.#continue());
    this.#results = this.#digests.digest();
    return this.#results.get('sha256')!;
  }

  #wrong(): Checksum | undefined {
    const all = [...this.#options.checksums, ...this.#said];
    return all.find(({ algorithm, hex }) => this.#results.get(algorithm) !== hex);
  }

  async #continue(): Promise<void> {
    const wanted = this.#rangeWanted();
    const answer = await this.#web.open({ ...this.#ask, headers: { ...this.#ask.headers, ...wanted } });
    const { status, headers, body } = answer;
    if (status === 416) {
      body.destroy();
      await this.#beginAnew();
      throw new Passing(`${answer.host} does not have the rest of the file`);
    }
    const isRest = status === 206 && wanted !== null && startOf(headers) === this.#bytes;
    if (!isRest && status !== 200) {
      body.destroy();
      throw this.#options.refuse(answer);
    }
    const pieces = piecesOf(body);
    if (isRest) this.#isTakenUp = true;
    else await this.#beginAnew();
    this.#learn(answer);
    try {
      const total = this.#bytes + (Number(headers['content-length']) || 0);
      await this.#write(answer, pieces, total);
    } finally {
      body.destroy();
    }
  }

  #rangeWanted(): Record<string, string> | null {
    if (this.#bytes === 0 || this.#validator === null || !this.#mayTakeUp) return null;
    return { range: `bytes=${this.#bytes}-`, 'if-range': this.#validator };
  }

  async #beginAnew(): Promise<void> {
    await this.#file.truncate(0);
    this.#bytes = 0;
    this.#isTakenUp = false;
    this.#digests = new Digests(this.#options.checksums.map(({ algorithm }) => algorithm));
  }

  #learn({ headers, firstHeaders, host }: Answer): void {
    const { etag } = headers;
    const isStrong = etag !== undefined && !etag.startsWith('W/');
    this.#validator = isStrong ? etag : (headers['last-modified'] ?? null);
    this.#said = [firstHeaders, headers].flatMap((each) => {
      const said = readDigest(`sha256:${String(each['x-checksum-sha256'])}`, `X-Checksum-SHA256 of ${host}`);
      return said ? [said] : [];
    });
  }

  async #write({ body, host }: Answer, pieces: AsyncIterable<Buffer>, total: number): Promise<void> {
    this.#expectRoom(total);
    try {
      for await (const piece of pieces) await this.#append(piece, total);
    } catch (error) {
      if (isOfDisk(error)) throw this.#diskError(error);
      throw this.#broken(`the download from ${host} broke off after ${formatBytes(this.#bytes)}`);
    }
    if (!body.complete || this.#bytes < total)
      throw this.#broken(`${host} sent ${formatBytes(this.#bytes)} of ${formatBytes(total)}`);
  }

  async #append(chunk: Buffer, total: number): Promise<void> {
    for (let at = 0; at < chunk.length;)
      at += (await this.#file.write(chunk, at, chunk.length - at, this.#bytes + at)).bytesWritten;
    this.#digests.update(chunk);
    this.#bytes += chunk.length;
    const now = performance.now();
    if (now - this.#saidAt < SAY_EVERY_MS && this.#bytes !== total) return;
    this.#saidAt = now;
    this.#web.scene.say(`fetching ${progressOf(this.#bytes, total)}`);
  }

  #broken(fact: string): Passing {
    const hasAdvanced = this.#bytes > this.#mark;
    this.#mark = Math.max(this.#mark, this.#bytes);
    return new Passing(fact, { hasAdvanced });
  }

  #expectRoom(total: number): void {
    const { freeBytes } = readDisk(this.#path);
    const missing = total - this.#bytes + SPARE_BYTES - freeBytes;
    if (total === 0 || missing <= 0) return;
    throw this.#web.scene.error(
      'source-failed',
      `the build has ${formatBytes(total)}, and ${formatBytes(freeBytes)} are free where ${this.#web.scene.home} lies`,
      `make room for ${formatBytes(missing)} more, then release again`,
    );
  }

  #diskError(error: Error): Error {
    const fact = `its file cannot be written to ${this.#web.scene.home}/store (${(error as NodeJS.ErrnoException).code})`;
    return this.#web.scene.error('source-failed', fact, 'make room on that disk, then release again');
  }
}

/** Of a `Content-Range`. */
function startOf(headers: IncomingMessage['headers']): number | null {
  const [, start] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? [];
  return start === undefined ? null : Number(start);
}

function isOfDisk(error: unknown): error is Error {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'write';
}

/** `12 of 48 MB` */
function progressOf(bytes: number, total: number): string {
  if (total === 0) return formatBytes(bytes);
  const [, unit = 'B'] = formatBytes(total).split(' ');
  const parts = parseBytes(`1${unit}`) ?? 1;
  return `${Math.floor(bytes / parts)} of ${Math.ceil(total / parts)} ${unit}`;
}
