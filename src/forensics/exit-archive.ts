/**
 * Why attempts ended, kept in <home>/exits/<service>.jsonl: one line each, oldest first, and those before in <service>.jsonl.1. A
 * line that a kill or a full disk tore, and one of a later version, are passed over.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExplainedExit, KilledServer, type WhyView } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { formatLines } from '../util/index.js';

/** Of each of the two. */
const MAX_BYTES = 512 * 1024;
const FORMAT = 1;

export interface ExitQuestion {
  readonly instance?: number | undefined;
  readonly attempt?: number | undefined;
  readonly limit: number;
}

interface Kept {
  readonly file: RolledFile;
  /** Of each instance. */
  readonly latest: Map<number, ExplainedExit>;
  readonly latestKilled: Map<number, KilledServer>;
}

export class ExitArchive {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** By service, as far as anybody has asked. */
  readonly #kept = new Map<string, Kept>();

  constructor(home: string, maxBytes = MAX_BYTES) {
    this.#folder = join(home, 'exits');
    this.#maxBytes = maxBytes;
  }

  /** False: it is known already, from a daemon that was killed after it had told. */
  add(exit: ExplainedExit): boolean {
    if (this.has(exit)) return false;
    this.#keep(exit.service).latest.set(exit.instance, exit);
    this.#append(exit);
    return true;
  }

  /** The same. */
  addKilled(killed: KilledServer): boolean {
    const { latestKilled } = this.#keep(killed.service);
    const known = latestKilled.get(killed.instance);
    if (known?.attempt === killed.attempt && known.child === killed.child && known.at === killed.at)
      return false;
    latestKilled.set(killed.instance, killed);
    this.#append(killed);
    return true;
  }

  #append(entry: ExplainedExit | KilledServer): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#keep(entry.service).file.append(formatLines([{ format: FORMAT, ...entry }]));
    } catch {
      // as where the disk is full: it stays in memory
    }
  }

  has({ service, instance, attempt, exit }: ExplainedExit): boolean {
    const known = this.#keep(service).latest.get(instance);
    return known?.attempt === attempt && known.exit.at === exit.at;
  }

  /** Newest first. */
  find(service: string, { instance, attempt, limit }: ExitQuestion): WhyView {
    const isMeant = (entry: ExplainedExit | KilledServer): boolean =>
      (instance === undefined || entry.instance === instance) &&
      (attempt === undefined || entry.attempt === attempt);
    const last = <T>(entries: readonly T[]): T[] => (limit <= 0 ? [] : entries.slice(-limit).reverse());
    const all = readEntries(this.#keep(service).file);
    const exits = last(all.exits.filter(isMeant));
    const oldest = Math.min(...exits.map(({ exit }) => Date.parse(exit.at) - exit.livedMs));
    const since = exits.length === 0 ? -Infinity : oldest;
    const killed = all.killedServers.filter((each) => isMeant(each) && Date.parse(each.at) >= since);
    return { exits, killedServers: last(killed) };
  }

  /** In a sentence; undefined: not known, or not yet. */
  headline(service: string, instance: number, attempt: number): string | undefined {
    const known = this.#keep(service).latest.get(instance);
    return known?.attempt === attempt ? known.verdict.summary : undefined;
  }

  #keep(service: string): Kept {
    const known = this.#kept.get(service);
    if (known) return known;
    const file = new RolledFile(join(this.#folder, `${service}.jsonl`), this.#maxBytes);
    const { exits, killedServers } = readEntries(file);
    const kept = {
      file,
      latest: new Map(exits.map((exit) => [exit.instance, exit])),
      latestKilled: new Map(killedServers.map((killed) => [killed.instance, killed])),
    };
    this.#kept.set(service, kept);
    return kept;
  }
}

/** With its format, which may say one day that a line is of another kind. */
const Exit = v.object(ExplainedExit.entries);
const Killed = v.object(KilledServer.entries);

/** Oldest first. */
function readEntries(file: RolledFile): WhyView {
  const exits: ExplainedExit[] = [];
  const killedServers: KilledServer[] = [];
  for (const line of file.values()) {
    const exit = v.safeParse(Exit, line);
    if (exit.success) {
      exits.push(exit.output);
      continue;
    }
    const killed = v.safeParse(Killed, line);
    if (killed.success) killedServers.push(killed.output);
  }
  return { exits, killedServers };
}
