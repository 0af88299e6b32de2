/**
 * The durable desired state: which services there are and which of them should run. Losing it means losing services,
 * so it is written in an order in which at every moment one complete copy is on disk:
 *
 *   1. state.json.new       written, fsynced               (torn by a power cut: not valid, ignored)
 *   2. state.json.previous  becomes a second name of state.json
 *   3. state.json.new       renamed to state.json, which exists all the time: it tells that the home is in use
 *   4. the folder           fsynced
 *
 * A file is two lines: a header with format version, sequence number and a checksum of all, and the body; later formats
 * keep the header. Whoever loads takes the whole file with the highest sequence number, wherever the writer was cut off,
 * says which one that was, and ends what the writer began: step 1 of the next save overwrites state.json.new.
 */
import { createHash } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExitView, ServiceSpec, UpkeepError } from '../protocol/index.js';
import { deferred, type Deferred } from '../util/index.js';
import { syncFolder } from './disk.js';
import { parseWithoutForeign, type Understood } from './foreign-keys.js';

export const STATE_FORMAT = 1;

const StoredService = v.object({
  spec: ServiceSpec,
  isWanted: v.boolean(),
  /** The last attempt number of each instance, so that numbers are never given twice. */
  attempts: v.array(v.number()),
  /** How often each instance was restarted; one that runs knows better. */
  restarts: v.optional(v.array(v.number()), []),
  /** By instance: how the last attempt ended where nothing is to follow it. A job that is done is not done again. */
  completed: v.optional(v.array(v.nullable(ExitView)), []),
  /** What a release has done to it: told apart by the operation, which may have ended long ago. */
  hold: v.exactOptional(
    v.object({
      operation: v.string(),
      /** `created`: there was no such service before. `committed`: it is what the release made of it. */
      is: v.picklist(['created', 'committed']),
      /** By instance: the attempt that was to go then; 0: there was none. */
      leaving: v.array(v.number()),
    }),
  ),
  /** Where it listens without having declared it; numeric addresses. */
  listens: v.optional(v.array(v.object({ host: v.string(), port: v.number() })), []),
});
export type StoredService = v.InferOutput<typeof StoredService>;

export type StoredHold = NonNullable<StoredService['hold']>;

export type StoredListener = StoredService['listens'][number];

const StoredState = v.object({ services: v.array(StoredService) });
export type StoredState = v.InferOutput<typeof StoredState>;

const Header = v.object({ format: v.number(), seq: v.number(), sha256: v.string() });

export interface LoadedState {
  readonly state: StoredState;
  /** What was unusual, in words; empty in the normal case. */
  readonly notes: readonly string[];
  /** What a newer version has written and this one does not know; left out. */
  readonly foreign: readonly string[];
}

const CURRENT = 'state.json';
const FRESH = 'state.json.new';
const PREVIOUS = 'state.json.previous';

type Candidate = { readonly name: string } & (
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'whole'; readonly format: number; readonly seq: number; readonly body: string }
);
type WholeCandidate = Extract<Candidate, { readonly kind: 'whole' }>;

export class StateFile {
  readonly #folder: string;
  #seq = 0;
  #pending: { text: string; saved: Deferred } | undefined;
  #isWriting = false;
  #isClosed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws only where a newer upkeep wrote the newest state: starting with an older one would lose services. */
  load(): LoadedState {
    const { best, isCurrentWhole, ...loaded } = findState(this.#folder);
    if (best) this.#seq = best.seq;
    if (best?.name === FRESH) this.#endSave(isCurrentWhole);
    return loaded;
  }

  /** Whoever still wants to save waits for ever: from now on the file is another daemon's. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves once this state, or a later one, is on disk. Calls during a write share the next one. */
  save(state: StoredState): Promise<void> {
    if (this.#isClosed) return deferred().promise;
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

  /** Steps 2 and 3; a broken file must not take the place of the previous state. Step 4 comes with the next save. */
  #endSave(isCurrentWhole: boolean): void {
    const [current, fresh, previous] = paths(this.#folder);
    if (isCurrentWhole) keepAs(current, previous);
    renameSync(fresh, current);
  }
}

/** What `load` would answer or throw; nothing is touched: the file may be another daemon's. */
export function readState(folder: string): LoadedState {
  const { state, notes, foreign } = findState(folder);
  return { state, notes, foreign };
}

interface FoundState extends LoadedState {
  readonly best: WholeCandidate | undefined;
  readonly isCurrentWhole: boolean;
}

function findState(folder: string): FoundState {
  const candidates = [CURRENT, FRESH, PREVIOUS].map((name) => readCandidate(folder, name));
  const broken = candidates.filter((candidate) => candidate.kind === 'broken');
  const notes = broken.map(({ name, why }) => `${name} is not usable (${why})`);
  const whole = candidates.filter((candidate) => candidate.kind === 'whole');
  const isCurrentWhole = whole.some(({ name }) => name === CURRENT);
  const best = whole.toSorted((a, b) => b.seq - a.seq)[0];
  if (!best) {
    if (notes.length > 0) notes.push('no complete state was found: starting without services');
    return { best, isCurrentWhole, state: { services: [] }, notes, foreign: [] };
  }
  const { value: state, foreign } = parseState(join(folder, best.name), best);
  if (best.name !== CURRENT || notes.length > 0)
    notes.push(`loaded ${best.name}, the newest complete state (number ${best.seq})`);
  return { best, isCurrentWhole, state, notes, foreign };
}

function parseState(
  path: string,
  { format, body }: { format: number; body: string },
): Understood<StoredState> {
  if (format > STATE_FORMAT) throw newerFormat(path, format);
  try {
    return parseWithoutForeign(StoredState, JSON.parse(body));
  } catch (cause) {
    throw notUnderstood(path, cause as v.ValiError<typeof StoredState>);
  }
}

/** The bytes of a state file. */
export function encodeState(seq: number, body: string, format: number = STATE_FORMAT): string {
  return `${JSON.stringify({ format, seq, sha256: checksum(format, seq, body) })}\n${body}\n`;
}

/** The header counts, too: a flipped bit in a number would make an old state the newest. */
function checksum(format: number, seq: number, body: string): string {
  return createHash('sha256').update(`${format} ${seq}\n${body}`).digest('hex');
}

function paths(folder: string): [current: string, fresh: string, previous: string] {
  return [join(folder, CURRENT), join(folder, FRESH), join(folder, PREVIOUS)];
}

async function writeState(folder: string, seq: number, body: string): Promise<void> {
  const [current, fresh, previous] = paths(folder);
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(encodeState(seq, body));
    await file.datasync();
  } finally {
    await file.close();
  }
  keepAs(current, previous);
  await rename(fresh, current);
  await syncFolder(folder);
}

function keepAs(current: string, previous: string): void {
  try {
    rmSync(previous, { force: true });
    linkSync(current, previous);
  } catch {
    // The first state has no predecessor, and some file systems have no links: the new state is on disk already.
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
  const body = text.slice(end + 1, -1);
  const isWhole = text.endsWith('\n') && checksum(format, seq, body) === sha256;
  return isWhole
    ? { name, kind: 'whole', format, seq, body }
    : { name, kind: 'broken', why: 'its checksum does not match' };
}

function newerFormat(path: string, format: number): UpkeepError {
  return new UpkeepError(
    'unsupported',
    `Cannot read ${path}: format ${format}, this version knows ${STATE_FORMAT}`,
    { hint: 'start the newer upkeep that wrote it' },
  );
}

function notUnderstood(path: string, cause: v.ValiError<typeof StoredState>): UpkeepError {
  const [issue] = cause.issues;
  return new UpkeepError('unsupported', `Cannot read ${path}: ${v.getDotPath(issue)}: ${issue.message}`, {
    hint: 'start the upkeep that wrote it',
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the schema
  }
}
