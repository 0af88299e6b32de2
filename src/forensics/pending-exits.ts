/**
 * Exits that are told and not explained yet, a file each in <home>/exits/pending: whoever comes after a daemon that was killed in between
 * explains them. A file is there as a whole or not at all, and goes when the verdict is on disk.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndedAttempt } from './explainer.js';

const FORMAT = 1;
const ENDING = '.json';

export class PendingExits {
  readonly #folder: string;

  constructor(home: string) {
    this.#folder = join(home, 'exits', 'pending');
  }

  /** Answers what is to be called when it is explained. */
  add(ended: EndedAttempt): () => void {
    const { spec, instance, attempt, exit } = ended;
    const path = join(this.#folder, `${spec.name}.${instance}.${attempt}.${Date.parse(exit.at)}${ENDING}`);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(toStored(ended)), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch {
      // as where the disk is full: it is explained in a moment all the same
    }
    return () => rmSync(path, { force: true });
  }

  /** What a former daemon left, oldest first; those of a later version stay for it. */
  left(): readonly Left[] {
    const found = this.#names().flatMap((name): Left[] => {
      const path = join(this.#folder, name);
      const ended = name.endsWith(ENDING) ? readStored(path) : undefined;
      return ended ? [{ ended, done: () => rmSync(path, { force: true }) }] : [];
    });
    return found.sort((a, b) => Date.parse(a.ended.exit.at) - Date.parse(b.ended.exit.at));
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch {
      return []; // nothing has ended yet
    }
  }
}

export interface Left {
  readonly ended: EndedAttempt;
  readonly done: () => void;
}

type Stored = ReturnType<typeof toStored>;

/** Without its control group: what that counts by then may be of a later attempt. */
function toStored({ spec: { name, argv }, traces, ...rest }: EndedAttempt) {
  const { testimony, tree, variables, lastLines, ...others } = traces;
  const { pids, rejections, exitCalls, kills, childEnds } = testimony;
  return {
    format: FORMAT,
    spec: { name, argv },
    ...rest,
    traces: {
      ...others,
      group: undefined,
      testimony: { pids: [...pids], rejections: [...rejections], exitCalls, kills, childEnds },
      tree: [...tree],
      variables: variables && [...variables],
      lines: { err: lastLines('err'), out: lastLines('out') },
    },
  };
}

function fromStored({ traces, ...rest }: Stored): EndedAttempt {
  const { testimony, tree, variables, lines, ...others } = traces;
  const { pids, rejections, ...said } = testimony;
  return {
    ...rest,
    traces: {
      ...others,
      testimony: { ...said, pids: new Set(pids), rejections: new Set(rejections) },
      tree: new Set(tree),
      group: undefined,
      variables: variables && new Set(variables),
      lastLines: (stream) => lines[stream],
    },
  };
}

function readStored(path: string): EndedAttempt | undefined {
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8')) as Stored;
    return stored.format === FORMAT ? fromStored(stored) : undefined;
  } catch {
    return undefined; // the disk has spoiled it
  }
}
