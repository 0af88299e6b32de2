/** Reloads and restarts of some services under a load, and what came of it. */
import type { Rig } from '../../../test/rig/index.js';
import { followEvents } from './dated-events.js';
import { DrainWatch } from './drain-watch.js';
import { formatReport, quantileMs } from './figures.js';
import { Load, total, type ClientDescription, type LoadReport, type StreamEnd } from '../load/index.js';

export interface Campaign {
  readonly rig: Rig;
  readonly services: readonly string[];
  readonly port: number;
  readonly clients: readonly ClientDescription[];
  readonly drainMs: number;
  readonly reloads: number;
  readonly restarts: number;
  /** The load goes on until so many were asked. @default 0 */
  readonly requests?: number;
}

export interface Outcome {
  readonly report: LoadReport;
  /** How long each took, milliseconds. */
  readonly reloadMs: readonly number[];
  readonly restartMs: readonly number[];
  /** Of each stream that was cut because the drain of its process was over: how long after that, milliseconds. */
  readonly latenessMs: readonly number[];
  readonly problems: readonly string[];
}

const WORDS = 10;

export async function carryOut(campaign: Campaign): Promise<Outcome> {
  const { rig, services, port, clients, drainMs, reloads, restarts, requests = 0 } = campaign;
  const problems: string[] = [];
  const events = followEvents(rig);
  const tookMs = { reload: [] as number[], restart: [] as number[] };
  await using load = await Load.start({ port, clients });
  await load.untilAnswered(50);
  for (const command of inTurn(reloads, restarts)) {
    const startedAt = performance.now();
    const { code, stderr } = await rig.cli(command, ...services);
    tookMs[command].push(performance.now() - startedAt);
    if (code !== 0) problems.push(`upkeep ${command} exited with ${code}: ${stderr}`);
    await load.untilAnswered(50);
  }
  while (total(load.counters).started < requests) await load.untilAnswered(1000, undefined, 60_000);
  const report = await load.stop();
  const watch = new DrainWatch(events, drainMs);
  const verdict = judge(report, watch);
  problems.push(...verdict.problems);
  return {
    report,
    reloadMs: tookMs.reload,
    restartMs: tookMs.restart,
    latenessMs: verdict.latenessMs,
    problems,
  };
}

export function printOutcome(title: string, outcome: Outcome): void {
  const { report, reloadMs, restartMs, latenessMs, problems } = outcome;
  console.log(`\n${title}: ${word(reloadMs.length, 'reload')}, ${word(restartMs.length, 'restart')}`);
  console.log(formatReport(report));
  for (const [what, times] of [
    ['reload', reloadMs],
    ['restart', restartMs],
  ] as const) {
    if (times.length === 0) continue;
    console.log(`one ${what}: median ${quantileMs(times, 0.5)}, longest ${quantileMs(times, 1)}`);
  }
  if (latenessMs.length > 0) {
    const span = `${quantileMs(latenessMs, 0)} to ${quantileMs(latenessMs, 1)}`;
    console.log(
      `${latenessMs.length} streams were cut when the drain of their process was over, after ${span}`,
    );
  }
  for (const problem of problems.slice(0, WORDS)) console.log(`  ${problem}`);
  if (problems.length > WORDS) console.log(`  … and ${problems.length - WORDS} more`);
}

/** Two of the first, one of the second, until both are used up. */
function* inTurn(reloads: number, restarts: number): Generator<'reload' | 'restart'> {
  for (let reloaded = 0, restarted = 0; reloaded < reloads || restarted < restarts;) {
    const isReload = reloaded < reloads && (restarted >= restarts || reloaded < 2 * (restarted + 1));
    if (isReload) reloaded++;
    else restarted++;
    yield isReload ? 'reload' : 'restart';
  }
}

/** Nothing is lost, and streams are cut only when the time of their process is up. */
export function judge(report: LoadReport, watch: DrainWatch): Pick<Outcome, 'latenessMs' | 'problems'> {
  const streams = judgeStreams(report, watch);
  return { latenessMs: streams.latenessMs, problems: [...judgeRequests(report, watch), ...streams.problems] };
}

/** Nothing but a good answer will do. */
function judgeRequests({ failures }: LoadReport, watch: DrainWatch): string[] {
  return failures.map(({ client, id, class: kind, detail, startedAt, endedAt, connectedAt, pid }) => {
    const times = [`begun ${Math.round(endedAt - startedAt)} ms before`];
    if (connectedAt !== null) times.push(`connected ${Math.round(endedAt - connectedAt)} ms before`);
    if (pid !== null) times.push(wordDrain(pid, endedAt, watch));
    return `${client} ${id}: ${kind} (${detail}), ${times.join(', ')}`;
  });
}

/** A stream may be cut when the time of its process is up, and only then. */
function judgeStreams(
  { streams }: LoadReport,
  watch: DrainWatch,
): { latenessMs: number[]; problems: string[] } {
  const cut = streams.filter(({ by, isClean }) => by === 'server' && !isClean);
  const others = cut.filter((stream) => watch.lateness(stream) === undefined);
  return {
    latenessMs: cut.flatMap((stream) => watch.lateness(stream) ?? []),
    problems: others.map((stream) => wordStream(stream, watch)),
  };
}

function wordStream({ client, id, pid, detail, endedAt, received }: StreamEnd, watch: DrainWatch): string {
  const when = pid === null ? 'before its first message' : wordDrain(pid, endedAt, watch);
  return `${client} ${id}: cut ${when} after ${received} messages (${detail})`;
}

function wordDrain(pid: number, at: number, { begun }: DrainWatch): string {
  const begunAt = begun.get(pid);
  return begunAt === undefined
    ? `without a drain of ${pid}`
    : `${Math.round(at - begunAt)} ms into the drain of ${pid}`;
}

function word(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
