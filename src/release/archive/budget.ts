/** What an archive has cost so far, against what it may cost: the answer to bombs. */
import { formatBytes } from '../../util/index.js';
import type { ArchiveLimits } from './limits.js';
import { refusal, type Refusal } from './refusal.js';

export class Budget {
  readonly #limits: ArchiveLimits;
  readonly #packedBytes: number;
  #entries = 0;
  #contentBytes = 0;
  #unpackedBytes = 0;

  constructor(limits: ArchiveLimits, packedBytes: number) {
    this.#limits = limits;
    this.#packedBytes = packedBytes;
  }

  get entries(): number {
    return this.#entries;
  }

  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Of a size that is only announced: refused before a byte of it is written. */
  addEntry(announcedBytes: number): Refusal | undefined {
    this.#entries++;
    if (this.#entries > this.#limits.maxEntries) {
      return refusal(
        'too-many-entries',
        `is one more than the ${this.#limits.maxEntries} entries that are allowed`,
      );
    }
    return this.#contentBytes + announcedBytes > this.#limits.maxTotalBytes
      ? this.#tooManyBytes()
      : undefined;
  }

  addContent(bytes: number): Refusal | undefined {
    this.#contentBytes += bytes;
    return this.#contentBytes > this.#limits.maxTotalBytes ? this.#tooManyBytes() : undefined;
  }

  /** What came out of the decompressor, whatever it is for. */
  addUnpacked(bytes: number): Refusal | undefined {
    this.#unpackedBytes += bytes;
    const { maxRatio, ratioFromBytes } = this.#limits;
    if (this.#unpackedBytes <= ratioFromBytes) return undefined;
    if (this.#unpackedBytes <= maxRatio * this.#packedBytes) return undefined;
    const ratio = Math.round(this.#unpackedBytes / this.#packedBytes);
    return refusal(
      'ratio',
      `unpacks to ${ratio} times the size of the archive or more, and ${maxRatio} is allowed`,
    );
  }

  #tooManyBytes(): Refusal {
    return refusal(
      'too-many-bytes',
      `makes more than the ${formatBytes(this.#limits.maxTotalBytes)} that are allowed for all files`,
    );
  }
}
