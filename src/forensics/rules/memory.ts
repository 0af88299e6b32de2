/** Ends for want of memory: the kernel's, the control group's, V8's. */
import { formatBytes } from '../../util/index.js';
import type { ExitEvidence } from '../evidence.js';
import type { Fact, Finding } from '../finding.js';

const OOM = /^(Memory cgroup out|Out) of memory: Killed process (\d+) \((.*?)\)(?:.*?anon-rss:(\d+)kB)?/;
const HEAP =
  /FATAL ERROR: (.*(?:heap out of memory|Allocation failed|invalid (?:array|table) (?:size|length)).*)/i;
const HEAP_FIGURES = /(?:Mark-[Cc]ompact|Scavenge)[^\n]*?([\d.]+) \(([\d.]+)\) -> ([\d.]+) \(([\d.]+)\) MB/;
const KERNEL_MS = 3000;
/** Of a process that others came after: its pid alone says little. */
const MAX_CHILD_SLACK_MS = 5000;

/** SIGKILL that the kernel sent for want of memory. `pids`: of the attempt. */
export function oomRule(evidence: ExitEvidence): Finding | undefined {
  const killed = oomKill(evidence);
  if (killed) return killed;
  const { exit, group, kernel, signals, testimony, pid } = evidence;
  if (exit.signal !== 'SIGKILL' || !('found' in group) || group.found.kills < 1) return undefined;
  if (testimony.kills.some(({ target, signal }) => target === pid && signal === 'SIGKILL')) return undefined;
  // The kernel's own words would name the victim: where they can be read, the count alone proves nothing.
  if ('found' in kernel) return undefined;
  if ('found' in signals && !signals.found.some((seen) => seen.target === pid && seen.code > 0))
    return undefined;
  const { path, kills, limitBytes } = group.found;
  const limit = limitBytes === null ? '' : ` of ${formatBytes(limitBytes)}`;
  return {
    cause: 'cgroup-oom',
    summary: `the kernel killed it: its control group ${path} reached its memory limit${limit}`,
    confidence: 'likely',
    evidence: [
      { source: 'control group', fact: `${path} counts ${kills} killed for its memory in the last seconds` },
    ],
    hint: 'give the control group more memory, or the program less to do with it',
  };
}

function oomKill(evidence: ExitEvidence): Finding | undefined {
  const { kernel, pid, tree, testimony, endedAt, exit } = evidence;
  if (!('found' in kernel) || pid === null) return undefined;
  for (const { text, at, slackMs } of kernel.found) {
    const isWithin = (slack: number): boolean => Math.abs(endedAt - at) < KERNEL_MS + slack;
    const match = OOM.exec(text);
    if (!match) continue;
    const victim = Number(match[2]);
    const isOwn = victim === pid && exit.signal === 'SIGKILL' && isWithin(slackMs);
    const isChild =
      victim !== pid &&
      isWithin(Math.min(slackMs, MAX_CHILD_SLACK_MS)) &&
      exit.code !== 0 &&
      (tree.has(victim) || testimony.pids.has(victim) || isChildOf(testimony, victim));
    if (!isOwn && !isChild) continue;
    const isGroup = match[1] === 'Memory cgroup out';
    const used = match[4] === undefined ? '' : ` with ${formatBytes(Number(match[4]) * 1024)} in use`;
    const who = isOwn ? 'it' : `its process ${match[3]} (pid ${victim})`;
    const why = isGroup ? 'its control group had reached its memory limit' : 'the machine had no memory left';
    return {
      cause: isGroup ? 'cgroup-oom' : 'kernel-oom',
      summary: `the kernel killed ${who}${used}: ${why}`,
      confidence: 'certain',
      evidence: [{ source: 'kernel log', fact: text }],
      hint: isGroup
        ? 'give the control group more memory, or the program less to do with it'
        : 'add memory or swap, or set limits.memory so that upkeep restarts it before',
    };
  }
  return undefined;
}

function isChildOf({ childEnds }: ExitEvidence['testimony'], pid: number): boolean {
  return childEnds.some(({ child }) => child === pid);
}

/** 5: SIGTRAP, 6: SIGABRT, and what shells make of them. */
const HEAP_CODES = [133, 134, 128 + 4];
const HEAP_SIGNALS = ['SIGABRT', 'SIGTRAP', 'SIGILL'];
/** From the end of a worker to that of whom it worked for. */
const FOLLOWS_MS = 3000;
/** What child_process says of a child that has ended badly. */
const OF_CHILD = /Command failed/;

export function heapRule({ exit, err, error, testimony, pid, endedAt }: ExitEvidence): Finding | undefined {
  const text = err.join('\n');
  const fatal = HEAP.exec(text);
  const isWorker =
    error?.message.includes('ERR_WORKER_OUT_OF_MEMORY') ||
    /Worker terminated due to reaching memory limit/.test(error?.message ?? '');
  // A worker's, long ago, may still be the last that was printed.
  const hasJustLostOne = testimony.childEnds.some(
    ({ code, signal, at }) =>
      endedAt - at < FOLLOWS_MS && (HEAP_SIGNALS.includes(signal ?? '') || HEAP_CODES.includes(code ?? 0)),
  );
  const isOtherwise =
    !hasJustLostOne &&
    ((error !== null && error.pid !== null && !OF_CHILD.test(error.message)) ||
      testimony.exitCalls.some((call) => call.pid === pid));
  const isHeap =
    fatal !== null &&
    (HEAP_SIGNALS.includes(exit.signal ?? '') ||
      HEAP_CODES.includes(exit.code ?? 0) ||
      (exit.code !== null && exit.code !== 0 && !isOtherwise));
  if (!isHeap && !isWorker) return undefined;
  const figures = [...text.matchAll(new RegExp(HEAP_FIGURES, 'g'))].at(-1);
  const facts: Fact[] = [{ source: 'stderr', fact: fatal?.[1]?.trim() ?? error!.message }];
  if (figures)
    facts.push({ source: 'stderr', fact: `the last collection left ${figures[3]} MB of ${figures[4]} MB` });
  const isOwn = HEAP_SIGNALS.includes(exit.signal ?? '') || isWorker;
  const used = figures ? `: ${figures[3]} MB were still in use after the last collection` : '';
  return {
    cause: 'heap-out-of-memory',
    summary: `${isWorker ? 'a worker thread of it' : 'V8'} ran out of heap${used}`,
    confidence: isOwn || HEAP_CODES.includes(exit.code ?? 0) ? 'certain' : 'likely',
    evidence: facts,
    hint: 'look for the leak with a heap profile, or raise the limit: NODE_OPTIONS=--max-old-space-size=<MB>',
  };
}
