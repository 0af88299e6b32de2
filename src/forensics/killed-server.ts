/**
 * The process that served was killed, and the wrapper in front of it lives on: nothing of the attempt has ended, so no exit would tell. A
 * parent that is Node says by its preload that it did so; of others the kernel's trace does. Pure.
 */
import type { Culprit, Verdict } from '../protocol/index.js';
import { signalName, type SeenSignal } from '../system/index.js';
import type { ChildEnd, SentKill, Testimony } from './evidence.js';
import { wordCulprit, type Fact } from './finding.js';
import { describeKill } from './rules/child-process.js';
import { factOfKill, wordBefore } from './signals.js';

/** A process of the attempt that has listened. Times: wall clock, milliseconds since the epoch. */
export interface Server {
  readonly pid: number;
  readonly since: number;
  /** Its parent first; within the attempt. */
  readonly ancestors: readonly number[];
  readonly isAlive: boolean;
  /** When it was last seen alive. */
  readonly aliveAt: number;
}

export type ServerKill = ToldKill | TracedKill;

/** By the parent of what was killed. */
export interface ToldKill {
  /** The one that served. */
  readonly server: number;
  readonly kill: SentKill;
  readonly end: ChildEnd;
}

/** By the kernel. */
export interface TracedKill {
  readonly server: number;
  readonly seen: SeenSignal;
}

/** From the signal to the end of a child that shuts down in order. */
const SHUTDOWN_MS = 60_000;

/** The latest one; `askedAt`: since when upkeep wants the attempt to end, for what is killed then is meant to be. */
export function findServerKill(
  { kills, childEnds }: Testimony,
  servers: readonly Server[],
  askedAt: number | null,
): ToldKill | undefined {
  const isServed = servers.some(({ isAlive }) => isAlive);
  for (const kill of kills.toReversed()) {
    if (kill.isPassedOn || (askedAt !== null && kill.at >= askedAt)) continue;
    // A master that replaces one worker while others serve goes about its business.
    if (kill.reason === 'call' && (isServed || hasServedSince(servers, kill.at))) continue;
    const end = childEnds.find((each) => isEndBy(each, kill));
    const server = end && servers.find((each) => isVictim(each, kill));
    if (server) return { server: server.pid, kill, end };
  }
  return undefined;
}

/** Somebody has taken its place, whatever became of that one. */
function hasServedSince(servers: readonly Server[], at: number): boolean {
  return servers.some(({ since }) => since > at);
}

/** By a process above it, and on purpose: that may be how it begins anew, as a watcher of files does. */
export function mayBeRestart(found: ServerKill, servers: readonly Server[]): boolean {
  if ('kill' in found) return found.kill.reason === 'call';
  const { sender } = found.seen;
  return servers.some(({ pid, ancestors }) => pid === found.server && ancestors.includes(sender));
}

/** Of the signal, or by itself in answer to it. */
function isEndBy({ pid, child, at, signal }: ChildEnd, kill: SentKill): boolean {
  if (pid !== kill.pid || child !== kill.target || at < kill.at - 1) return false;
  return signal === null ? at - kill.at < SHUTDOWN_MS : signal === kill.signal;
}

function isVictim({ pid, since, ancestors, isAlive }: Server, { target, at }: SentKill): boolean {
  return !isAlive && since <= at && (pid === target || ancestors.includes(target));
}

/** What an end is put down to that followed from it. */
export type BlamedKill = Pick<Verdict, 'summary' | 'evidence' | 'hint'>;

/** Two clocks. */
const SLACK_MS = 50;

export interface TraceQuestion {
  readonly servers: readonly Server[];
  readonly askedAt: number | null;
  /** What upkeep has started, which tells by its exit, and upkeep's own processes. */
  readonly main: number | null;
  readonly own: readonly number[];
}

/** What the kernel has delivered to a server since it was last seen alive, where nobody serves any more. */
export function findTracedKill(
  signals: readonly SeenSignal[],
  { servers, askedAt, main, own }: TraceQuestion,
): TracedKill | undefined {
  if (servers.some(({ isAlive }) => isAlive)) return undefined;
  const end = askedAt ?? Infinity;
  for (const { pid, aliveAt } of servers) {
    const seen = signals.findLast(
      ({ target, sender, code, at }) =>
        target === pid && code <= 0 && sender !== pid && at >= aliveAt - SLACK_MS && at < end,
    );
    if (seen && pid !== main && !own.includes(seen.sender)) return { server: pid, seen };
  }
  return undefined;
}

/** Nobody has served after it: others may have, and have ended in a way of their own. */
export function wasLastOf(servers: readonly Server[], found: ServerKill): boolean {
  const { child, at } = victimOf(found);
  const isVictim = ({ pid, ancestors }: Server): boolean =>
    pid === found.server || pid === child || ancestors.includes(child);
  return servers.every((server) => !server.isAlive && (isVictim(server) || server.aliveAt <= at));
}

/** In a sentence, and what to do. `by`: as far as it could still be seen. */
export function describeServerKill(
  found: ServerKill,
  main: number | null,
  by: Culprit,
): Pick<Verdict, 'cause' | 'summary'> & { readonly hint: string } {
  if ('kill' in found) return describeKill(found.kill, found.end, main);
  const sent = `${signalName(found.seen.signal)}, sent by ${wordCulprit(by)}`;
  const summary = `the process that served (pid ${found.server}) ended by ${sent}`;
  if (found.seen.senderName === 'timeout')
    return { cause: 'time-limit', summary: `${summary}: its time was over`, hint: TAKE_OUT };
  return { cause: 'signal', summary, hint: START_ITSELF };
}

const TAKE_OUT = 'a service has no end: take timeout out of its command';
const START_ITSELF = 'best let upkeep start the program itself, so that it is started again when it ends';

export function culpritOf(found: ServerKill): {
  readonly pid: number;
  readonly at: number;
  readonly name: string;
} {
  if ('kill' in found) return { pid: found.kill.pid, at: found.kill.at, name: 'node' };
  return { pid: found.seen.sender, at: found.seen.at, name: found.seen.senderName };
}

/** Which child of the killer that was, and when it had ended, as far as that is known. */
export function victimOf(found: ServerKill): { readonly child: number; readonly at: number } {
  if ('kill' in found) return { child: found.kill.target, at: found.end.at };
  return { child: found.server, at: found.seen.at };
}

/** `main`: what upkeep has started. */
export function judgeServerKill(found: ServerKill, main: number | null, by: Culprit): Verdict {
  const { cause, summary, hint } = describeServerKill(found, main, by);
  const told = 'kill' in found ? toldFacts(found) : tracedFacts(found);
  const isCertain = 'kill' in found ? isCertainly(found) : found.seen.signal === SIGKILL;
  const confidence = isCertain ? 'certain' : 'likely';
  return { cause, summary, confidence, by, evidence: told, notAvailable: [], hint };
}

const SIGKILL = 9;
/** exec closes its end of the pipe before it kills: the child may die of that first, and without the signal. */
const FOLLOWS_MS = 3000;

function isCertainly({ kill, end }: ToldKill): boolean {
  return end.signal !== null || (kill.reason !== 'call' && end.at - kill.at < FOLLOWS_MS);
}

function tracedFacts({ server, seen }: TracedKill): Fact[] {
  const { senderName, sender, signal } = seen;
  return [
    {
      source: 'kernel trace',
      fact: `${senderName}, pid ${sender}, sent ${signalName(signal)} to pid ${server}`,
    },
    { source: 'process table', fact: `pid ${server} had listened, and is gone` },
  ];
}

function toldFacts({ server, kill, end }: ToldKill): Fact[] {
  const how = end.signal === null ? `exit code ${end.code}` : end.signal;
  return [
    factOfKill(kill),
    {
      source: 'preload',
      fact: `the child ended with ${how}; it had been sent the signal ${wordBefore(end.at - kill.at)}`,
    },
    {
      source: 'process table',
      fact:
        server === kill.target
          ? `pid ${server} had listened`
          : `pid ${server}, which had listened, ran below it and is gone`,
    },
    ...(kill.printedBytes === null
      ? []
      : [{ source: 'preload', fact: `the child had printed ${kill.printedBytes} bytes by then` }]),
  ];
}
