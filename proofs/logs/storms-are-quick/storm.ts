/** One storm of one peer, from the moment when its writers stand ready. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../../test/rig/index.js';
import { Asking, BARE_NODE } from './asking.js';
import type { Peer, Writer } from './peer.js';
import { tally, type Tally } from './tally.js';
import { difference, markMemory, peakAbove, processorTime } from './usage.js';

const WRITER = fileURLToPath(new URL('../apps/storm.js', import.meta.url));
/** Node programs have begun, and what counts them has come to rest. */
const SETTLE_MS = 2500;
const IDLE_MS = 1500;
const PATIENCE_MS = 300_000;

export interface Storm {
  readonly writers: number;
  readonly lines: number;
}

export interface Outcome extends Tally {
  readonly wallMs: number;
  /** By what the processes are, for a million lines. */
  readonly processorMs: ReadonlyMap<string, number>;
  /** After it was over, until everything was quiet. */
  readonly laterMs: ReadonlyMap<string, number>;
  readonly memoryMb: number;
  readonly idle: Answers;
  readonly asked: Answers;
}

export interface Answers {
  readonly list: readonly number[];
  readonly node: readonly number[];
}

export async function storm(peer: Peer, { writers, lines }: Storm): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-storm-'));
  const all = Array.from({ length: writers }, (_, index) => writer(`w${index}`, lines, folder));
  try {
    await peer.start(all);
    await sleep(SETTLE_MS);
    const idle = await ask(peer, () => sleep(IDLE_MS));
    const before = processorTime(peer);
    const [daemon] = peer.processes()['daemon'] ?? [];
    const markedMb = daemon === undefined ? 0 : markMemory(daemon);
    const asked = await ask(peer, async () => {
      writeFileSync(join(folder, 'go'), '');
      const isDone = (): boolean => all.every(({ name }) => existsSync(join(folder, name)));
      await until('every writer is done', isDone, PATIENCE_MS);
    });
    const after = processorTime(peer);
    await sleep(SETTLE_MS);
    const memoryMb = daemon === undefined ? 0 : peakAbove(daemon, markedMb);
    const million = (writers * lines) / 1e6;
    const perMillion = (times: ReadonlyMap<string, number>): Map<string, number> =>
      new Map([...times].map(([kind, ms]) => [kind, ms / million]));
    const found = { missing: 0, doubled: 0, torn: 0 };
    for (const one of all) {
      const each = await tally(peer.files(one), one.name, lines);
      found.missing += each.missing;
      found.doubled += each.doubled;
      found.torn += each.torn;
    }
    return {
      ...found,
      wallMs: wall(all.map(({ name }) => join(folder, name))),
      processorMs: perMillion(difference(after, before)),
      laterMs: perMillion(difference(processorTime(peer), after)),
      memoryMb,
      idle,
      asked,
    };
  } finally {
    await peer.stop();
    rmSync(folder, { recursive: true });
  }
}

function writer(name: string, lines: number, folder: string): Writer {
  return { name, command: [process.execPath, WRITER, String(lines), folder, name] };
}

/** Whom nobody asks is disturbed as much: by two bare Nodes. */
async function ask({ list }: Peer, work: () => Promise<unknown>): Promise<Answers> {
  const asking = new Asking([list ?? BARE_NODE, BARE_NODE]);
  await work();
  await asking.stop();
  return { list: asking.times[0]!, node: asking.times[1]! };
}

function wall(files: readonly string[]): number {
  const times = files.map((file) => readFileSync(file, 'utf8').split(' ').map(Number));
  return Math.max(...times.map(([, end]) => end!)) - Math.min(...times.map(([begin]) => begin!));
}
