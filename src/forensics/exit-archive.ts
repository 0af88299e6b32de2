/**
 * Why attempts ended, kept in <home>/exits/<service>.jsonl: one line each, oldest first, and those before in <service>.jsonl.1. A
 * line that a kill or a full disk tore, and one of a later version, are passed over.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExplainedExit } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { parseLines } from '../util/index.js';

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
    const { file, latest } = this.#keep(exit.service);
    latest.set(exit.instance, exit);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      file.append(`${JSON.stringify({ format: FORMAT, ...exit })}\n`);
    } catch {
      // as where the disk is full: it stays in memory
    }
    return true;
  }

  has({ service, instance, attempt, exit }: ExplainedExit): boolean {
    const known = this.#keep(service).latest.get(instance);
    return known?.attempt === attempt && known.exit.at === exit.at;
  }

  /** Newest first. */
  find(service: string, { instance, attempt, limit }: ExitQuestion): ExplainedExit[] {
    const isMeant = (exit: ExplainedExit): boolean =>
      (instance === undefined || exit.instance === instance) &&
      (attempt === undefined || exit.attempt === attempt);
    const found = readExits(this.#keep(service).file).filter(isMeant);
    return limit <= 0 ? [] : found.slice(-limit).reverse();
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
    const kept = { file, latest: new Map(readExits(file).map((exit) => [exit.instance, exit] as const)) };
    this.#kept.set(service, kept);
    return kept;
  }
}

/** With its format, which may say one day that a line is of another kind. */
const Line = v.object(ExplainedExit.entries);

function readExits(file: RolledFile): ExplainedExit[] {
  return parseLines(file.read().join('\n')).flatMap((line) => {
    const { success, output } = v.safeParse(Line, line);
    return success ? [output] : [];
  });
}
