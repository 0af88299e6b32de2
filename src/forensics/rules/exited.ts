/** It ended by itself, with a code. */
import { basename } from 'node:path';
import { signalName } from '../../system/index.js';
import { isWrapperCommand } from '../../core/index.js';
import type { ChildEnd, ExitCall, ExitEvidence } from '../evidence.js';
import { wordCulprit, type Fact, type Finding } from '../finding.js';
import { findRequest, findSender, wordBefore, type Sender } from '../signals.js';
import { wordFamily } from './signalled.js';

const SHELL = /^(?:sh|bash|dash|zsh|ash|ksh|busybox)$/;
/** A wrapper ends at once when what it wraps has ended. */
const FOLLOWS_MS = 2000;

/** Somebody asked it to end by a signal, which it answered by ending in order. */
export function requestRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, pid, endedAt } = evidence;
  if (exit.kind !== 'exited' || pid === null) return undefined;
  const sender = findRequest(evidence, pid);
  if (!sender) return undefined;
  const { signal, by, at, fact } = sender;
  return {
    cause: 'signal',
    summary: `it ended by itself with code ${exit.code} ${wordBefore(endedAt - at).replace(' before', '')} after ${signal}, sent by ${wordCulprit(by!)}`,
    confidence: 'certain',
    evidence: [fact, ...wordFamily(by!, fact.source), { source: 'exit status', fact: exit.reason }],
    by: by!,
  };
}

/** A wrapper (npm, sh) whose child was ended by a signal, and which ended because of that. */
export function childSignalRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, testimony, endedAt, tree } = evidence;
  if (exit.kind !== 'exited' || exit.code === 0) return undefined;
  const end = testimony.childEnds.findLast(({ signal, at }) => signal !== null && endedAt - at < FOLLOWS_MS);
  // Who ends its helpers before it ends is no wrapper that follows them.
  if (end && isEndedByItself(evidence, end)) return undefined;
  if (end) return fromChild(evidence, end.child, end.signal!, end.command);
  const number = (exit.code ?? 0) - 128;
  if (!isShell(evidence) || number < 1 || number > 31) return undefined;
  const signal = signalName(number);
  const traced = [...tree, ...testimony.pids]
    .map((pid) => findSender(evidence, pid, signal))
    .findLast((each) => each !== undefined && endedAt - each.at < FOLLOWS_MS);
  if (traced) return fromChild(evidence, traced.target, signal, null);
  return {
    cause: 'signal',
    summary: `exit code ${exit.code} of a shell: what it ran was ended by ${signal}, or ended with that code itself`,
    confidence: 'unknown',
    evidence: [{ source: 'exit status', fact: exit.reason }],
  };
}

function isEndedByItself({ testimony, pid }: ExitEvidence, { child }: ChildEnd): boolean {
  const own = testimony.kills.filter((kill) => kill.pid === pid && kill.target === child);
  return own.some(({ reason, isPassedOn }) => reason === 'call' && !isPassedOn);
}

function fromChild(evidence: ExitEvidence, child: number, signal: string, command: string | null): Finding {
  const { exit } = evidence;
  const sender: Sender | undefined = findSender(evidence, child, signal);
  const what = command === null ? `pid ${child}` : `"${command}" (pid ${child})`;
  const by = sender?.by ?? null;
  const who =
    by === null
      ? sender?.isKernel
        ? ', sent by the kernel'
        : '; who sent it is not known'
      : `, sent by ${wordCulprit(by)}`;
  const facts: Fact[] = [
    ...(sender ? [sender.fact] : [{ source: 'preload', fact: `its child ${what} ended by ${signal}` }]),
    { source: 'exit status', fact: `the wrapper then ended: ${exit.reason}` },
  ];
  return {
    cause: 'signal',
    summary: `its child ${what} was ended by ${signal}${who}; the wrapper in front of it ended with it`,
    confidence: by === null && !sender?.isKernel ? 'unknown' : 'certain',
    evidence: by === null ? facts : [...facts, ...wordFamily(by, sender!.fact.source)],
    by,
    hint: 'let the command of the service name the program itself, without the wrapper',
  };
}

function isShell({ argv }: ExitEvidence): boolean {
  return SHELL.test(basename(argv[0] ?? ''));
}

const UNSETTLED = 13;
const EXIT = 'process.exit';

/** Of a wrapper (npm calls exit() with the code of its script): that of what it runs. */
function decidingCall({ argv, exit, testimony, pid, endedAt }: ExitEvidence): ExitCall | undefined {
  const calls = testimony.exitCalls.filter(({ code }) => code !== null);
  const behind = isWrapperCommand(argv)
    ? calls.findLast((each) => each.pid !== pid && each.code === exit.code && endedAt - each.at < FOLLOWS_MS)
    : undefined;
  return behind ?? calls.findLast((each) => each.pid === pid);
}

/** The child that it has ended just before. */
function ownHelper(evidence: ExitEvidence): ChildEnd | undefined {
  const { testimony, endedAt } = evidence;
  return testimony.childEnds.findLast(
    (end) => end.signal !== null && endedAt - end.at < FOLLOWS_MS && isEndedByItself(evidence, end),
  );
}

/** What its own words, or its code alone, tell. */
export function exitedRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, testimony, pid, endedAt, err } = evidence;
  if (exit.kind !== 'exited') return undefined;
  const status: Fact = { source: 'exit status', fact: exit.reason };
  const call = decidingCall(evidence);
  if (call) {
    const isBehind = call.pid !== pid;
    const where = call.place === null ? 'in code that is not its own' : `at ${call.place}`;
    const helper = isBehind ? undefined : ownHelper(evidence);
    const after = helper
      ? `, after it had ended its child "${helper.command ?? '?'}" (pid ${helper.child}) by ${helper.signal}`
      : '';
    const summary = `${isBehind ? `its process ${call.pid}` : 'it'} called ${EXIT}(${exit.code}) ${where}${after}`;
    return {
      cause: 'exit-call',
      summary: isBehind ? `${summary}; the wrapper in front of it ended with it` : summary,
      confidence: isBehind && isShell(evidence) ? 'likely' : 'certain', // a shell may have gone on to something else
      evidence: [{ source: 'preload', fact: `${summary}, ${wordBefore(endedAt - call.at)} the end` }, status],
    };
  }
  const isGuest = pid !== null && testimony.pids.has(pid);
  const said = err.findLast((line) => line.trim() !== '');
  if (isGuest && exit.code === UNSETTLED)
    return {
      cause: 'out-of-work',
      summary: 'an await at the top of its module was never settled, and nothing was left to wait for',
      confidence: 'certain',
      evidence: [status],
    };
  if (isGuest && exit.code === 0)
    return {
      cause: 'out-of-work',
      summary: 'it ended by itself with code 0: nothing was left that Node had to wait for',
      confidence: 'certain',
      evidence: [{ source: 'preload', fact: `it did not call ${EXIT}()` }, status],
      hint: 'a server that should run has a listening port or a timer; if this is a job, say restart: on-failure or never',
    };
  return {
    cause: 'exit-code',
    summary:
      exit.code === 0
        ? 'it ended by itself with code 0'
        : `it ended by itself with code ${exit.code}${said === undefined ? '' : `; its last words: ${said.trim().slice(0, 200)}`}`,
    confidence: 'certain',
    evidence: [status],
  };
}
