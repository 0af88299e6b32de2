/**
 * Why attempts ended, kept in <home>/exits/<service>.jsonl: one line each, oldest first. A line that a kill or a full disk tore,
 * and one of a later version, are passed over. When a file is full its older half goes.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExplainedExit } from '../protocol/index.js';

const MAX_BYTES = 1024 * 1024;
const FORMAT = 1;

export interface ExitQuestion {
  readonly instance?: number | undefined;
  readonly attempt?: number | undefined;
  readonly limit: number;
}

export class ExitArchive {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** By service and instance: the latest, as far as anybody has asked. */
  readonly #latest = new Map<string, Map<number, ExplainedExit>>();

  constructor(home: string, maxBytes = MAX_BYTES) {
    this.#folder = join(home, 'exits');
    this.#maxBytes = maxBytes;
  }

  /** False: it is known already, from a daemon that was killed after it had told. */
  add(exit: ExplainedExit): boolean {
    const { service, instance } = exit;
    if (this.has(exit)) return false;
    this.#latestOf(service).set(instance, exit);
    try {
      this.#append(service, `${JSON.stringify({ format: FORMAT, ...exit })}\n`);
    } catch {
      // as where the disk is full: it stays in memory
    }
    return true;
  }

  has({ service, instance, attempt, exit }: ExplainedExit): boolean {
    const known = this.#latestOf(service).get(instance);
    return known?.attempt === attempt && known.exit.at === exit.at;
  }

  /** Newest first. */
  find(service: string, { instance, attempt, limit }: ExitQuestion): ExplainedExit[] {
    const isMeant = (exit: ExplainedExit): boolean =>
      (instance === undefined || exit.instance === instance) &&
      (attempt === undefined || exit.attempt === attempt);
    const found = this.#read(service).filter(isMeant);
    return limit <= 0 ? [] : found.slice(-limit).reverse();
  }

  /** In a sentence; undefined: not known, or not yet. */
  headline(service: string, instance: number, attempt: number): string | undefined {
    const known = this.#latestOf(service).get(instance);
    return known?.attempt === attempt ? known.verdict.summary : undefined;
  }

  #latestOf(service: string): Map<number, ExplainedExit> {
    const known = this.#latest.get(service);
    if (known) return known;
    const latest = new Map(this.#read(service).map((exit) => [exit.instance, exit] as const));
    this.#latest.set(service, latest);
    return latest;
  }

  #path(service: string): string {
    return join(this.#folder, `${service}.jsonl`);
  }

  #append(service: string, line: string): void {
    const path = this.#path(service);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes + line.length > this.#maxBytes) this.#shorten(path);
    // Whatever tore the last line must not take this one along.
    appendFileSync(path, endsOpen(path) ? `\n${line}` : line, { mode: 0o600 });
  }

  #shorten(path: string): void {
    const text = readFileSync(path, 'utf8');
    const from = text.indexOf('\n', Math.floor(text.length / 2)) + 1;
    writeFileSync(`${path}.new`, text.slice(from), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #read(service: string): ExplainedExit[] {
    return readOrEmpty(this.#path(service)).split('\n').flatMap(parse);
  }
}

function endsOpen(path: string): boolean {
  const text = readOrEmpty(path);
  return text !== '' && !text.endsWith('\n');
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // nothing has ended yet
  }
}

const Line = v.object(ExplainedExit.entries);

function parse(line: string): ExplainedExit[] {
  if (line === '') return [];
  try {
    const result = v.safeParse(Line, JSON.parse(line));
    return result.success ? [result.output] : [];
  } catch {
    return [];
  }
}
