/** What somebody says that a file has, and whether it does. */
import { createHash, type Hash } from 'node:crypto';

const ALGORITHMS = ['sha256', 'sha512', 'sha384', 'sha1'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface Checksum {
  readonly algorithm: Algorithm;
  readonly hex: string;
  /** `the registry`, `X-Checksum-SHA256 of gitlab.example` */
  readonly saidBy: string;
}

/** Of a file while it is written, by all algorithms that are asked for; sha256 always. */
export class Digests {
  readonly #hashes: ReadonlyMap<Algorithm, Hash>;

  constructor(algorithms: readonly Algorithm[]) {
    const all = new Set<Algorithm>(['sha256', ...algorithms]);
    this.#hashes = new Map([...all].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(chunk: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  digest(): ReadonlyMap<Algorithm, string> {
    return new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
  }
}

/** `sha512-<base64>` as npm writes it (https://www.w3.org/TR/SRI/); of several the strongest one. */
export function readIntegrity(text: string, saidBy: string): Checksum | null {
  const found = new Map<string, string>();
  for (const word of text.trim().split(/\s+/)) {
    const [, algorithm, base64] = /^(sha\d+)-([\w+/=]+)/.exec(word) ?? [];
    if (algorithm !== undefined && base64 !== undefined) found.set(algorithm, base64);
  }
  for (const algorithm of ['sha512', 'sha384', 'sha256', 'sha1'] as const) {
    const base64 = found.get(algorithm);
    if (base64 !== undefined)
      return { algorithm, hex: Buffer.from(base64, 'base64').toString('hex'), saidBy };
  }
  return null;
}

/** `sha256:<hex>`, as GitHub says it. */
export function readDigest(text: string | null | undefined, saidBy: string): Checksum | null {
  const [, hex] = /^sha256:([\da-f]{64})$/i.exec(text ?? '') ?? [];
  return hex === undefined ? null : { algorithm: 'sha256', hex: hex.toLowerCase(), saidBy };
}

/** Of one file in what sha256sum has printed, or of the only one in it. */
export function readSums(text: string, file: string): string | null {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const [, hex, name] = /^\\?([\da-f]{64})(?:\s+\*?(.+))?$/i.exec(line.trim()) ?? [];
    return hex === undefined ? [] : [{ hex: hex.toLowerCase(), name: name?.split('/').at(-1) }];
  });
  const named = lines.find(({ name }) => name === file);
  const only = lines.length === 1 && lines[0]!.name === undefined ? lines[0] : undefined;
  return (named ?? only)?.hex ?? null;
}
