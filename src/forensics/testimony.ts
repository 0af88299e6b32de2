/** Collects what the preload in the Node processes of an attempt says that bears on its end (src/preload/witness.ts). */
import * as v from 'valibot';
import { KILL_REASONS, type ChildEnd, type ExitCall, type SentKill, type Testimony } from './evidence.js';
import { maskCommand } from '../util/index.js';

/** Of each kind: what matters comes last. */
const MAX_KEPT = 100;

const words = { place: v.nullable(v.string()) };
const Exit = v.object({ ...words, code: v.nullable(v.number()) });
const Kill = v.object({
  ...words,
  target: v.number(),
  signal: v.string(),
  reason: v.picklist(KILL_REASONS),
  command: v.nullable(v.string()),
  printedBytes: v.nullable(v.number()),
  isPassedOn: v.boolean(),
});
const Child = v.object({
  child: v.number(),
  code: v.nullable(v.number()),
  signal: v.nullable(v.string()),
  command: v.nullable(v.string()),
});

export class Witnesses implements Testimony {
  readonly pids = new Set<number>();
  readonly exitCalls: ExitCall[] = [];
  readonly kills: SentKill[] = [];
  readonly childEnds: ChildEnd[] = [];
  readonly rejections = new Set<number>();

  /** `rest`: JSON; whatever else comes is of a later version, or made up. */
  onSaid(word: string, pid: number, rest: string, at: number): void {
    if (word === 'hello') keep(this.pids, pid);
    else if (word === 'rejection') keep(this.rejections, pid);
    else if (word === 'exit') note(this.exitCalls, Exit, rest, { pid, at });
    else if (word === 'kill') note(this.kills, Kill, rest, { pid, at });
    else if (word === 'child') note(this.childEnds, Child, rest, { pid, at });
  }
}

function note<S extends v.GenericSchema<unknown, object>, H extends object>(
  list: (v.InferOutput<S> & H)[],
  schema: S,
  text: string,
  header: H,
): void {
  const value = parse(text);
  if (!v.is(schema, value)) return;
  list.push({ ...masked(v.parse(schema, value)), ...header });
  if (list.length > MAX_KEPT) list.shift();
}

/** Command lines may hold secrets. */
function masked<T extends object>(value: T): T {
  const { command } = value as { command?: unknown };
  return typeof command === 'string' ? { ...value, command: maskCommand(command) } : value;
}

function keep(pids: Set<number>, pid: number): void {
  pids.add(pid);
  if (pids.size > MAX_KEPT) for (const oldest of [...pids].slice(0, 1)) pids.delete(oldest);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
