/**
 * Builds that were fetched, by what they contain: `<home>/store/sha256/<aa>/<hash>` is an archive, `<hash>.tree` a folder, and
 * `<hash>.json` beside it says where it came from. The last one is written last: without it nothing is there. A release that goes
 * back needs nothing but this.
 */
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { syncPath, syncTree } from '../system/index.js';
import { hashFile, hashFolder } from './content-hash.js';

const FORMAT = 1;

const Provenance = v.object({
  format: v.literal(FORMAT),
  kind: v.picklist(['archive', 'folder']),
  /** Type of the source. */
  source: v.string(),
  /** For a person. */
  from: v.string(),
  /** What never changes of it at its sources: who asks for one of these need not fetch. */
  identities: v.array(v.string()),
  commit: v.nullable(v.string()),
  version: v.nullable(v.string()),
  bytes: v.number(),
  fetchedAt: v.string(),
});
export type Provenance = v.InferOutput<typeof Provenance>;

/** What is told of a build that comes into the store. */
export interface Origin extends Pick<Provenance, 'source' | 'from' | 'commit' | 'version'> {
  readonly identity: string | null;
}

export interface StoredArtifact {
  readonly sha256: string;
  /** Of the archive, or of the folder. */
  readonly path: string;
  readonly provenance: Provenance;
}

export interface PruneOptions {
  /** What came in later than this is spared: somebody may be about to use it. @default one hour */
  readonly spareMs?: number;
}

const HOUR_MS = 3_600_000;
/** Of what nobody finished. */
const ABANDONED_MS = 24 * HOUR_MS;
/** A folder is there already. */
const IN_THE_WAY: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST']);
const PRIVATE = { recursive: true, mode: 0o700 } as const;

export class ArtifactStore {
  readonly folder: string;
  readonly #builds: string;
  readonly #incoming: string;

  constructor(home: string) {
    this.folder = join(home, 'store');
    this.#builds = join(this.folder, 'sha256');
    this.#incoming = join(this.folder, 'incoming');
  }

  /** A folder of its own for something that is on its way; whoever asks clears it away. */
  async makeRoom(): Promise<string> {
    await mkdir(this.#incoming, PRIVATE);
    return mkdtemp(join(this.#incoming, 'build-'));
  }

  /** Whole, as it was written: what a disk has damaged is not there. */
  async find(sha256: string): Promise<StoredArtifact | null> {
    const stored = await this.#look(sha256);
    return stored && (await isWhole(stored)) ? stored : null;
  }

  async findByIdentity(identity: string): Promise<StoredArtifact | null> {
    for (const sha256 of await this.#hashes()) {
      const stored = await this.#look(sha256);
      if (stored?.provenance.identities.includes(identity) && (await isWhole(stored))) return stored;
    }
    return null;
  }

  /** Takes a file or a folder that lies in its room, with all of it on the disk when it answers. */
  async take(
    path: string,
    { sha256, bytes, kind }: { sha256: string; bytes: number; kind: Provenance['kind'] },
    { identity, ...origin }: Origin,
  ): Promise<StoredArtifact> {
    const target = this.#pathOf(sha256, kind);
    await mkdir(dirname(target), PRIVATE);
    await (kind === 'folder' ? syncTree(path) : syncPath(path));
    await rename(path, target).catch(async (error: NodeJS.ErrnoException) => {
      if (!IN_THE_WAY.has(error.code)) throw error;
      // Another group may be copying it at this moment.
      if (await holds(target, sha256, kind)) return;
      await rm(target, { recursive: true, force: true });
      await rename(path, target);
    });
    await syncPath(dirname(target));
    const before = (await this.#look(sha256))?.provenance.identities ?? [];
    const identities = [...new Set([...before, ...(identity === null ? [] : [identity])])];
    const provenance = {
      format: FORMAT,
      kind,
      ...origin,
      identities,
      bytes,
      fetchedAt: new Date().toISOString(),
    } as const;
    await writeWhole(this.#noteOf(sha256), `${JSON.stringify(provenance, null, 2)}\n`);
    return { sha256, path: target, provenance };
  }

  async list(): Promise<StoredArtifact[]> {
    const all = await Promise.all((await this.#hashes()).map((sha256) => this.#look(sha256)));
    return all.filter((stored) => stored !== null);
  }

  /** Removes what is not to be kept, and what was never finished; answers what has gone. */
  async prune(keep: ReadonlySet<string>, { spareMs = HOUR_MS }: PruneOptions = {}): Promise<string[]> {
    const gone: string[] = [];
    for (const sha256 of await this.#hashes()) {
      const paths = [this.#noteOf(sha256), this.#pathOf(sha256, 'archive'), this.#pathOf(sha256, 'folder')];
      if (keep.has(sha256) || (await youngest(paths)) > Date.now() - spareMs) continue;
      for (const path of paths) await rm(path, { recursive: true, force: true }); // the note first: it says that the rest is there
      gone.push(sha256);
    }
    for (const name of await namesIn(this.#incoming)) {
      const path = join(this.#incoming, name);
      if ((await youngest([path])) <= Date.now() - Math.max(spareMs, ABANDONED_MS))
        await rm(path, { recursive: true, force: true });
    }
    return gone;
  }

  async #look(sha256: string): Promise<StoredArtifact | null> {
    const text = await readFile(this.#noteOf(sha256), 'utf8').catch(() => null); // not there
    if (text === null) return null;
    const read = v.safeParse(Provenance, parsed(text));
    if (!read.success) return null; // of another version: fetched again
    return { sha256, path: this.#pathOf(sha256, read.output.kind), provenance: read.output };
  }

  async #hashes(): Promise<string[]> {
    const shelves = await namesIn(this.#builds);
    const names = await Promise.all(shelves.map((shelf) => namesIn(join(this.#builds, shelf))));
    return [...new Set(names.flat().map((name) => name.slice(0, 64)))].filter((name) =>
      /^[\da-f]{64}$/.test(name),
    );
  }

  #pathOf(sha256: string, kind: Provenance['kind']): string {
    return join(this.#builds, sha256.slice(0, 2), kind === 'folder' ? `${sha256}.tree` : sha256);
  }

  #noteOf(sha256: string): string {
    return join(this.#builds, sha256.slice(0, 2), `${sha256}.json`);
  }
}

function isWhole({ sha256, path, provenance }: StoredArtifact): Promise<boolean> {
  return holds(path, sha256, provenance.kind);
}

async function holds(path: string, sha256: string, kind: Provenance['kind']): Promise<boolean> {
  try {
    return (kind === 'archive' ? await hashFile(path) : (await hashFolder(path)).sha256) === sha256;
  } catch {
    return false; // not there, or not readable: fetched again
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncPath(dirname(path));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // torn: it was not written by this
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []); // nothing was ever stored
}

/** Milliseconds since the epoch of the latest change; 0: none of them is there. */
async function youngest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}
