/**
 * The process that served is gone because its own wrapper killed it, and the wrapper lives on: nothing of the attempt has ended, so
 * no exit would tell. Pure.
 */
import type { Culprit, Verdict } from '../protocol/index.js';
import type { ChildEnd, SentKill, Testimony } from './evidence.js';
import { describeKill } from './rules/child-process.js';
import { factOfKill, wordBefore } from './signals.js';

/** A process of the attempt that has listened. Times: wall clock, milliseconds since the epoch. */
export interface Server {
  readonly pid: number;
  readonly since: number;
  /** Its parent first; within the attempt. */
  readonly ancestors: readonly number[];
  readonly isAlive: boolean;
}

export interface ServerKill {
  /** The one that served. */
  readonly server: number;
  readonly kill: SentKill;
  readonly end: ChildEnd;
}

/** From the signal to the end of a child that shuts down in order. */
const SHUTDOWN_MS = 60_000;

/** The latest one; `askedAt`: since when upkeep wants the attempt to end, for what is killed then is meant to be. */
export function findServerKill(
  { kills, childEnds }: Testimony,
  servers: readonly Server[],
  askedAt: number | null,
): ServerKill | undefined {
  const isServed = servers.some(({ isAlive }) => isAlive);
  for (const kill of kills.toReversed()) {
    if (kill.isPassedOn || (askedAt !== null && kill.at >= askedAt)) continue;
    // A master that replaces one worker while others serve goes about its business.
    if (kill.reason === 'call' && isServed) continue;
    const end = childEnds.find((each) => isEndBy(each, kill));
    const server = end && servers.find((each) => isVictim(each, kill));
    if (server) return { server: server.pid, kill, end };
  }
  return undefined;
}

/** Of the signal, or by itself in answer to it. */
function isEndBy({ pid, child, at, signal }: ChildEnd, kill: SentKill): boolean {
  if (pid !== kill.pid || child !== kill.target || at < kill.at - 1) return false;
  return signal === null ? at - kill.at < SHUTDOWN_MS : signal === kill.signal;
}

function isVictim({ pid, since, ancestors, isAlive }: Server, { target, at }: SentKill): boolean {
  return !isAlive && since <= at && (pid === target || ancestors.includes(target));
}

/** `main`: what upkeep has started. */
export function judgeServerKill(found: ServerKill, main: number | null, by: Culprit): Verdict {
  const { server, kill, end } = found;
  const { cause, summary, hint } = describeKill(kill, end, main);
  const how = end.signal === null ? `exit code ${end.code}` : end.signal;
  const evidence = [
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
  const confidence = end.signal === null ? 'likely' : 'certain';
  return { cause, summary, confidence, by, evidence, notAvailable: [], hint };
}
