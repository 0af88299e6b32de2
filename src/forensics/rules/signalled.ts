/** It was ended by a signal that upkeep did not send: by whom, or by what in itself. */
import { basename } from 'node:path';
import { AUDIT_RULE, signalName } from '../../system/index.js';
import { wordCulprit, type Fact, type Finding } from '../finding.js';
import type { ExitEvidence } from '../evidence.js';
import { findSender, type Sender } from '../signals.js';
import { isTimeLimit, timeLimit } from './time-limit.js';

/** How a fault in a program is told to it. */
const FAULTS = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGABRT', 'SIGSYS'];
const ABORTED =
  /Assertion .*failed|terminate called|^#\s*Fatal error|FATAL ERROR|double free|stack smashing|free\(\): invalid|malloc.*corrupted|assertion failed|panicked at/i;
const KERNEL_MS = 3000;

export function signalledRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, pid } = evidence;
  if (exit.kind !== 'signalled' || exit.signal === null || pid === null) return undefined;
  const sender = findSender(evidence, pid, exit.signal);
  const isFault = FAULTS.includes(exit.signal);
  if (isFault && (!sender || sender.isKernel || sender.by?.place === 'itself')) {
    const crash = nativeCrash(evidence, exit.signal, sender);
    if (crash) return crash;
  }
  if (sender?.by) return bySomebody(evidence, sender);
  return sender ? byKernel(evidence, sender) : byNobodyKnown(evidence, exit.signal, isFault);
}

function bySomebody(evidence: ExitEvidence, sender: Sender): Finding {
  const { by, signal, fact, kill } = sender;
  if (isTimeLimit(evidence, sender)) return timeLimit(evidence, [fact]);
  // Without the kernel's word nobody knows whether it passes on what it got itself.
  const isDoubtful = by!.place === 'itself' && fact.source === 'preload' && !FAULTS.includes(signal);
  const place = kill?.place ? ` at ${kill.place}` : '';
  return {
    cause: 'signal',
    summary: `ended by ${signal}, sent by ${wordCulprit(by!)}${place}${isDoubtful ? ', unless it passed on one that it had got' : ''}`,
    confidence: isDoubtful ? 'likely' : 'certain',
    evidence: [fact, ...wordFamily(by!, fact.source)],
    by: by!,
    hint: null,
  };
}

/** `source`: of what is known of one that has ended. */
export function wordFamily({ parents, uid, startedAt }: NonNullable<Finding['by']>, source: string): Fact[] {
  const facts: Fact[] = [];
  const seenIn = startedAt === null ? source : 'process table';
  if (uid !== null) facts.push({ source: seenIn, fact: `the sender runs as uid ${uid}` });
  if (parents.length > 0)
    facts.push({ source: 'process table', fact: `the sender's parents: ${parents.join(' < ')}` });
  return facts;
}

/** The kernel's own: SIGXCPU, SIGXFSZ, SIGPIPE, and what it kills by without a word in its log. */
function byKernel({ exit }: ExitEvidence, { signal, fact }: Sender): Finding {
  const why: Readonly<Record<string, string>> = {
    SIGXCPU: 'it had used up its limit of processor time (ulimit -t)',
    SIGXFSZ: 'it wanted to write a file beyond its limit of size (ulimit -f)',
    SIGPIPE: 'it wrote to a pipe that nobody reads any more',
    SIGALRM: 'a timer of its own ran out',
  };
  const reason = why[signal];
  return {
    cause: 'signal',
    summary: `ended by ${signal}, sent by the kernel${reason === undefined ? '' : `: ${reason}`}`,
    confidence: reason === undefined ? 'likely' : 'certain',
    evidence: [fact, { source: 'exit status', fact: exit.reason }],
  };
}

function byNobodyKnown(evidence: ExitEvidence, signal: string, isFault: boolean): Finding {
  const { exit, err, signals } = evidence;
  const or = isFault ? ': a crash in native code, or a signal that somebody sent' : '';
  const line = err.findLast((each) => each.trim() !== '');
  return {
    cause: 'signal',
    summary: isFault
      ? `ended by ${signal}${or}`
      : `ended by ${signal}; upkeep did not send it, and who did is not known`,
    confidence: 'unknown',
    evidence: [
      { source: 'exit status', fact: exit.reason },
      ...(isFault && line ? [{ source: 'stderr', fact: line.slice(0, 300) }] : []),
      ...auditedCrash(evidence),
    ],
    hint: 'missing' in signals ? TO_KNOW : null,
  };
}

const TO_KNOW = `to know who did it next time, run the daemon as root where tracefs is mounted, or let auditd note signals in a log that the daemon may read: ${AUDIT_RULE}`;

/** It says that it ended so, but not whether somebody had sent it the signal. */
function auditedCrash({ audit, pid, endedAt }: ExitEvidence): Fact[] {
  const crashes = 'found' in audit ? audit.found.crashes : [];
  const crash = crashes.find((each) => each.pid === pid && Math.abs(endedAt - each.at) < KERNEL_MS);
  if (!crash) return [];
  const fact = `${crash.program}, pid ${crash.pid}, ended abnormally by ${signalName(crash.signal)} (ANOM_ABEND)`;
  return [{ source: 'audit log', fact }];
}

function nativeCrash(
  evidence: ExitEvidence,
  signal: string,
  sender: Sender | undefined,
): Finding | undefined {
  const { pid, kernel, endedAt, err, testimony, exit } = evidence;
  if (sender?.kill) return undefined; // process.kill(process.pid): it wanted to
  const records =
    'found' in kernel
      ? kernel.found.filter(({ at, slackMs }) => Math.abs(endedAt - at) < KERNEL_MS + slackMs)
      : [];
  const record = records.find(
    ({ text }) =>
      new RegExp(`\\[${pid}\\]:? .*(?:segfault|trap|fault|general protection)`).test(text) ||
      new RegExp(`^traps: .*\\[${pid}\\]`).test(text),
  );
  const abortLine =
    signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL'
      ? err.findLast((line) => ABORTED.test(line))
      : undefined;
  const call = testimony.exitCalls.findLast(({ code, pid: of }) => code === null && of === pid);
  const facts: Fact[] = [];
  if (record) facts.push({ source: 'kernel log', fact: record.text });
  if (sender) facts.push(sender.fact);
  if (abortLine !== undefined) facts.push({ source: 'stderr', fact: abortLine.trim().slice(0, 300) });
  if (call) {
    const where = call.place === null ? '' : ` at ${call.place}`;
    const summary = `it called process.abort()${where}`;
    return {
      cause: 'exit-call',
      summary,
      confidence: 'certain',
      evidence: [{ source: 'preload', fact: summary }, ...facts],
    };
  }
  // abort() and raise() are no fault of the processor, and a program may also mean them.
  const isOwnSignal = sender !== undefined && !sender.isKernel && !sender.isRaised;
  if (facts.length === 0 || isOwnSignal) return undefined;
  const module = record ? / in (\S+?)\[/.exec(record.text)?.[1] : undefined;
  const where = module === undefined ? '' : ` in ${basename(module)}`;
  return {
    cause: 'native-crash',
    summary:
      abortLine === undefined
        ? `it crashed in native code${where}: ${signal}`
        : `it aborted${where}: ${abortLine.trim().slice(0, 200)}`,
    confidence: record || sender ? 'certain' : 'likely',
    evidence: [
      ...facts,
      { source: 'exit status', fact: `${exit.reason}; ${exit.hasCore ? 'a' : 'no'} core dump was written` },
    ],
    hint: `look for native addons (*.node) that were updated, and into a core dump: ${exit.hasCore ? `coredumpctl debug ${pid}, or where core_pattern(5) has put it` : 'allow it to write one (ulimit -c unlimited)'}`,
  };
}
