/**
 * The durable desired state: which services there are and which of them should run. Losing it means losing services,
 * so it is written in an order in which at every moment one complete copy is on disk:
 *
 *   1. state.json.new   written, fsynced        (torn by a power cut: not valid, ignored)
 *   2. state.json      -> state.json.previous   renamed
 *   3. state.json.new  -> state.json            renamed
 *   4. the folder       fsynced
 *
 * A file is two lines: a header with format version, sequence number and checksum, and the body. Whoever loads takes
 * the valid file with the highest sequence number, wherever the writer was cut off, and says which one that was.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ServiceSpec, UpkeepError } from '../protocol/index.js';
import { deferred, type Deferred } from '../util/index.js';

export const STATE_FORMAT = 1;

const StoredService = v.object({
  spec: ServiceSpec,
  isWanted: v.boolean(),
  /** The last attempt number of each instance, so that numbers are never given twice. */
  attempts: v.array(v.number()),
});
export type StoredService = v.InferOutput<typeof StoredService>;

const StoredState = v.object({ services: v.array(StoredService) });
export type StoredState = v.InferOutput<typeof StoredState>;

const Header = v.object({ format: v.number(), seq: v.number(), sha256: v.string() });

export interface LoadedState {
  readonly state: StoredState;
  /** What was unusual, in words; empty in the normal case. */
  readonly notes: readonly string[];
}

const NAMES = ['state.json', 'state.json.new', 'state.json.previous'] as const;

type Candidate =
  | { readonly name: string; readonly kind: 'absent' }
  | { readonly name: string; readonly kind: 'broken'; readonly why: string }
  | { readonly name: string; readonly kind: 'newer'; readonly format: number }
  | { readonly name: string; readonly kind: 'valid'; readonly seq: number; readonly body: string };

export class StateFile {
  readonly #folder: string;
  #seq = 0;
  #pending: { text: string; saved: Deferred } | undefined;
  #isWriting = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws `internal` only where a valid file exists but none can be understood: starting empty would lose services. */
  load(): LoadedState {
    const candidates = NAMES.map((name) => readCandidate(this.#folder, name));
    const newer = candidates.find((candidate) => candidate.kind === 'newer');
    if (newer?.kind === 'newer') {
      throw new UpkeepError(
        'unsupported',
        `Cannot read ${join(this.#folder, newer.name)}: format ${newer.format}, this version knows ${STATE_FORMAT}`,
        {
          hint: 'start the newer upkeep that wrote it',
        },
      );
    }
    const valid = candidates.filter((candidate) => candidate.kind === 'valid').sort((a, b) => b.seq - a.seq);
    const broken = candidates.filter((candidate) => candidate.kind === 'broken');
    const notes = broken.map(({ name, why }) => `${name} is not usable (${why})`);
    const best = valid[0];
    if (!best) {
      if (notes.length > 0) notes.push('no complete state was found: starting without services');
      return { state: { services: [] }, notes };
    }
    this.#seq = best.seq;
    if (best.name !== NAMES[0] || notes.length > 0)
      notes.push(`loaded ${best.name}, the newest complete state (number ${best.seq})`);
    return { state: v.parse(StoredState, JSON.parse(best.body)), notes };
  }

  /** Resolves once this state, or a later one, is on disk. Calls during a write share the next one. */
  save(state: StoredState): Promise<void> {
    const text = JSON.stringify(state);
    if (this.#pending) this.#pending.text = text;
    else this.#pending = { text, saved: deferred() };
    const { promise } = this.#pending.saved;
    if (!this.#isWriting) void this.#writeAll();
    return promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending) {
      const { text, saved } = this.#pending;
      this.#pending = undefined;
      await writeState(this.#folder, ++this.#seq, text).then(saved.resolve, saved.reject);
    }
    this.#isWriting = false;
  }
}

/** The bytes of a state file. */
export function encodeState(seq: number, body: string): string {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${JSON.stringify({ format: STATE_FORMAT, seq, sha256 })}\n${body}\n`;
}

async function writeState(folder: string, seq: number, body: string): Promise<void> {
  const [current, fresh, previous] = NAMES.map((name) => join(folder, name)) as [string, string, string];
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(encodeState(seq, body));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(current, previous).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error; // the first state has no predecessor
  });
  await rename(fresh, current);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function readCandidate(folder: string, name: string): Candidate {
  let text: string;
  try {
    text = readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { name, kind: 'absent' };
    return { name, kind: 'broken', why: (error as Error).message };
  }
  const end = text.indexOf('\n');
  const header = v.safeParse(Header, end < 0 ? undefined : parseJson(text.slice(0, end)));
  if (!header.success) return { name, kind: 'broken', why: 'its header is incomplete' };
  const { format, seq, sha256 } = header.output;
  if (format > STATE_FORMAT) return { name, kind: 'newer', format };
  const body = text.slice(end + 1, -1);
  const isWhole = text.endsWith('\n') && createHash('sha256').update(body).digest('hex') === sha256;
  return isWhole
    ? { name, kind: 'valid', seq, body }
    : { name, kind: 'broken', why: 'its checksum does not match' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the schema
  }
}
