/**
 * A Node parent that keeps the output of its child (exec, execFile) kills it beyond maxBuffer, and after a timeout. The
 * wrapper then ends because its child did, and looks as if it had ended by itself.
 */
import { formatBytes, formatDuration, unreachable } from '../../util/index.js';
import type { ChildEnd, ExitEvidence, SentKill } from '../evidence.js';
import type { Fact, Finding } from '../finding.js';
import { factOfKill, wordBefore } from '../signals.js';
import { requestRule } from './exited.js';

/** From the end of the child to that of its parent. */
const FOLLOWS_MS = 3000;
/** From the end of the child to the call of exit() that answers it. */
const ANSWERS_MS = 500;
/** From the signal to the end of a child that shuts down in order. */
const SHUTDOWN_MS = 60_000;
const MAX_BUFFER =
  /ERR_CHILD_PROCESS_STDIO_MAXBUFFER|(?:stdout|stderr) maxBuffer length exceeded|spawnSync .* ENOBUFS/;

export function execRule(evidence: ExitEvidence): Finding | undefined {
  const { error, exit } = evidence;
  const isThrown = error !== null && MAX_BUFFER.test(error.message);
  const kill = findKill(evidence);
  if (exit.kind === 'signalled' && kill?.target !== evidence.pid) return undefined;
  if (exit.kind === 'exited' && kill?.target !== evidence.pid && requestRule(evidence)) return undefined;
  // An exception of its own is the reason, unless it is about just this.
  if (error && !isThrown && !isTimeout(error.message) && !isConsequence(evidence)) return undefined;
  if (kill) return fromKill(evidence, kill);
  return isThrown ? fromError(evidence, error.message) : undefined;
}

/** exec closes its end of the pipe before it kills: the child may die of that first. */
function isConsequence({ error, pid }: ExitEvidence): boolean {
  return error !== null && error.pid !== null && error.pid !== pid && /\bEPIPE\b/.test(error.message);
}

const isTimeout = (message: string): boolean => /ETIMEDOUT|Command failed/.test(message);

/** The one that the end of the attempt followed from. */
function findKill({ testimony, endedAt, pid }: ExitEvidence): SentKill | undefined {
  const automatic = testimony.kills.filter(({ reason }) => reason === 'max-buffer' || reason === 'timeout');
  return automatic.findLast((kill) => {
    if (endedAt - kill.at > SHUTDOWN_MS) return false;
    if (kill.target === pid) return true;
    const end = testimony.childEnds.findLast(({ child, at }) => child === kill.target && at >= kill.at - 1);
    const overAt = end?.at ?? kill.at;
    const call = testimony.exitCalls.findLast((each) => each.pid === pid && each.code !== null);
    if (call && call.at - overAt > ANSWERS_MS) return false; // it had another reason by then
    return endedAt - overAt < FOLLOWS_MS;
  });
}

function fromKill({ testimony, endedAt, pid, exit }: ExitEvidence, kill: SentKill): Finding {
  const end = testimony.childEnds.findLast(({ child }) => child === kill.target);
  const evidence: Fact[] = [factOfKill(kill)];
  if (kill.printedBytes !== null)
    evidence.push({ source: 'preload', fact: `the child had printed ${kill.printedBytes} bytes by then` });
  if (end) {
    const how = end.signal === null ? `exit code ${end.code}` : end.signal;
    evidence.push({
      source: 'preload',
      fact: `the child ended with ${how}, ${wordBefore(endedAt - end.at)} the end of its parent`,
    });
  }
  if (exit.kind === 'exited')
    evidence.push({ source: 'own journal', fact: `the wrapper then ended with exit code ${exit.code}` });
  const confidence = end === undefined && kill.target !== pid ? 'likely' : 'certain';
  return { ...describeKill(kill, end, pid), confidence, evidence };
}

/** `main`: what upkeep has started. */
export function describeKill(
  kill: SentKill,
  end: ChildEnd | undefined,
  main: number | null,
): Pick<Finding, 'cause' | 'summary'> & { readonly hint: string } {
  const command = kill.command ?? end?.command ?? `pid ${kill.target}`;
  const parent = kill.pid === main ? `its own wrapper (pid ${kill.pid})` : `pid ${kill.pid}`;
  const where = kill.place === null ? '' : ` at ${kill.place}`;
  const killed = `${parent} killed "${command}"${where}`;
  const printed = kill.printedBytes === null ? '' : ` after ${formatBytes(kill.printedBytes)} of output`;
  switch (kill.reason) {
    case 'max-buffer':
      return {
        cause: 'exec-max-buffer',
        summary: `${killed}${printed}: more than the maxBuffer of its child_process.exec`,
        hint: FIX,
      };
    case 'timeout':
      return {
        cause: 'exec-timeout',
        summary: `${killed}: the timeout that it gave child_process had passed`,
        hint: 'start it with spawn, or without the option timeout',
      };
    case 'abort':
      return {
        cause: 'signal',
        summary: `${killed} by ${kill.signal}: the AbortSignal that it gave child_process was aborted`,
        hint: 'look for who aborts it; best let upkeep start the program itself',
      };
    case 'call':
      return {
        cause: 'signal',
        summary: `${killed} by ${kill.signal}: its own code calls kill()`,
        hint: 'best let upkeep start the program itself, so that it is started again when it ends',
      };
    default:
      return unreachable(kill.reason);
  }
}

const FIX =
  "exec keeps all output in memory and kills the child beyond maxBuffer (1 MiB unless set): use spawn(command, { shell: true, stdio: 'inherit' }), or exec with { maxBuffer: Infinity }; best let upkeep start the program itself";

function fromError({ endedAt, begunAt }: ExitEvidence, message: string): Finding {
  const after = formatDuration(Math.max(0, endedAt - begunAt));
  return {
    cause: 'exec-max-buffer',
    summary: `its child had printed more than the maxBuffer of child_process, which killed it (${message}) ${after} after the start`,
    confidence: 'certain',
    evidence: [{ source: 'exception', fact: message }],
    hint: FIX,
  };
}
