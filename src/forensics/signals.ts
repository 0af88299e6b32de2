/** Who sent a signal: the kernel's own trace, and what managed Node processes said of their kill(). */
import type { Culprit } from '../protocol/index.js';
import { signalName, type AuditedSignal, type SeenSignal } from '../system/index.js';
import { maskCommand } from '../util/index.js';
import type { ExitEvidence, SentKill } from './evidence.js';
import type { Fact } from './finding.js';

export interface Sender {
  /** null: the kernel. */
  readonly by: Culprit | null;
  readonly isKernel: boolean;
  /** As raise() and abort() do it: to a thread of its own. */
  readonly isRaised: boolean;
  readonly signal: string;
  readonly at: number;
  readonly target: number;
  readonly kill: SentKill | undefined;
  readonly fact: Fact;
}

/** Two clocks, of a kernel that words microseconds and of a journal in milliseconds. */
const SLACK_MS = 50;
/** How long before its end a signal may have come that a process answers by ending itself. */
const ANSWER_MS = 5000;

/** Who sent the signal to the process, of those that came before its end; the first one of those that mean the same. */
export function findSender(evidence: ExitEvidence, target: number, signal: string): Sender | undefined {
  const traced = sentTo(evidence, target, signal);
  const last = traced.at(-1);
  if (!last) return fromTestimony(evidence, target, signal);
  // signal-exit and others clean up and then send themselves what they got.
  const origin =
    last.sender === target
      ? traced.findLast(({ sender, at }) => sender !== target && last.at - at < SHUTDOWN_MS)
      : undefined;
  return toSender(evidence, origin ?? last);
}

function sentTo(evidence: ExitEvidence, target: number, signal: string): (SeenSignal | AuditedSignal)[] {
  const { begunAt, endedAt, signals, audit } = evidence;
  const known = 'found' in signals ? signals.found : 'found' in audit ? audit.found.signals : [];
  return known.filter(
    (seen) =>
      seen.target === target &&
      signalName(seen.signal) === signal &&
      seen.at >= begunAt - SLACK_MS &&
      seen.at <= endedAt + SLACK_MS,
  );
}

function toSender(evidence: ExitEvidence, seen: SeenSignal | AuditedSignal): Sender {
  const { at, sender, senderName, target, code } = seen;
  const signal = signalName(seen.signal);
  // A pipe that nobody reads is told as if the writer had sent it.
  const isKernel = code > 0 || (signal === 'SIGPIPE' && sender === target && !saidSo(evidence, target));
  const by = isKernel ? null : withAudit(evidence.describe(sender, at, senderName), seen);
  const who = isKernel ? 'the kernel' : `${senderName}, pid ${sender},`;
  const fact = `${who} sent ${signal} to pid ${target} ${wordBefore(evidence.endedAt - at)} the end`;
  const kill = evidence.testimony.kills.findLast((each) => each.pid === sender && each.target === target);
  const isRaised = sender === target && code === SI_TKILL;
  return {
    by,
    isKernel,
    isRaised,
    signal,
    at,
    target,
    kill,
    fact: { source: isAudited(seen) ? 'audit log' : 'kernel trace', fact },
  };
}

/** What its call has told of a sender that has ended since. */
function withAudit(by: Culprit, seen: SeenSignal | AuditedSignal): Culprit {
  if (!isAudited(seen) || by.command !== null) return by;
  const command = seen.senderCommand === null ? null : maskCommand(seen.senderCommand);
  return { ...by, command, uid: by.uid ?? seen.senderUid };
}

function isAudited(seen: SeenSignal | AuditedSignal): seen is AuditedSignal {
  return 'senderCommand' in seen;
}

const SI_TKILL = -6;

function saidSo({ testimony }: ExitEvidence, pid: number): boolean {
  return testimony.kills.some((kill) => kill.pid === pid && kill.target === pid);
}

function fromTestimony(evidence: ExitEvidence, target: number, signal: string): Sender | undefined {
  const { endedAt, testimony } = evidence;
  const kill = testimony.kills.findLast(
    (each) => each.target === target && each.signal === signal && endedAt - each.at < ANSWER_MS,
  );
  if (!kill || kill.isPassedOn) return undefined;
  const { pid, at } = kill;
  const by = evidence.describe(pid, at, 'node');
  return { by, isKernel: false, isRaised: false, signal, at, target, kill, fact: factOfKill(kill) };
}

export function factOfKill({ pid, target, signal, place }: SentKill): Fact {
  const where = place === null ? '' : ` at ${place}`;
  return { source: 'preload', fact: `pid ${pid} sent ${signal} to pid ${target}${where}` };
}

export function wordBefore(ms: number): string {
  if (ms < 1) return 'less than 1 ms before';
  return ms < 1000 ? `${Math.round(ms)} ms before` : `${(ms / 1000).toFixed(1)} s before`;
}

/** Signals by which somebody outside asks a process to end, and that it may answer in its own way. */
const REQUESTS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'];
/** Others than these may mean anything else. */
const PLAIN_REQUESTS = ['SIGTERM', 'SIGINT'];
const SHUTDOWN_MS = 60_000;

/** Somebody asked the process to end, and it did so by itself. */
export function findRequest(evidence: ExitEvidence, target: number): Sender | undefined {
  const { code } = evidence.exit;
  if (!('found' in evidence.signals) && !('found' in evidence.audit)) return undefined;
  const meant = (signal: string): boolean =>
    PLAIN_REQUESTS.includes(signal) || (REQUESTS.includes(signal) && code === 128 + numberOf(signal));
  const senders = REQUESTS.filter(meant).map((signal) => findSender(evidence, target, signal));
  return senders
    .filter((sender) => sender !== undefined)
    .filter(({ by, at }) => by !== null && by.place !== 'upkeep' && evidence.endedAt - at < SHUTDOWN_MS)
    .sort((a, b) => a.at - b.at)[0];
}

const NUMBERS = new Map(Array.from({ length: 31 }, (_, index) => [signalName(index + 1), index + 1]));

export function numberOf(signal: string): number {
  return NUMBERS.get(signal) ?? 0;
}
