/** Nothing was executed, or the shim that would know was killed. */
import type { ExitCause } from '../../protocol/index.js';
import type { ExitEvidence } from '../evidence.js';
import { wordCulprit, type Finding } from '../finding.js';
import { findSender } from '../signals.js';

/** In the words of system/program.ts and of the errors of the kernel. */
const FACTS: readonly (readonly [ExitCause, RegExp])[] = [
  ['interpreter-missing', /is not in PATH|wants .* which does not exist/],
  ['permission-denied', /is not executable|cannot be read|EACCES|EPERM|cannot run as user/],
  ['file-missing', /does not exist|ENOENT|is a directory/],
];

export function spawnRule({ exit, hint, shim }: ExitEvidence): Finding | undefined {
  if (exit.kind !== 'spawn-failed' || exit.askedBy !== null) return undefined;
  const isUser = exit.reason.startsWith('user ') || (shim === null && /stopped before/.test(exit.reason));
  const known = isUser ? undefined : FACTS.find(([, pattern]) => pattern.test(exit.reason));
  return {
    cause: known ? known[0] : 'spawn-failed',
    summary: `it could not be started: ${exit.reason}`,
    confidence: 'certain',
    evidence: [{ source: 'own journal', fact: exit.reason }],
    hint,
  };
}

export function shimRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, shim } = evidence;
  if (exit.kind !== 'unknown') return undefined;
  const sender = shim === null ? undefined : findSender(evidence, shim, 'SIGKILL');
  const by = sender?.by ?? null;
  const who = by === null ? 'somebody that is not known' : wordCulprit(by);
  return {
    cause: 'parent-died',
    summary: `its parent, the shim of upkeep${shim === null ? '' : ` (pid ${shim})`}, was killed by ${who}; upkeep ended what was left`,
    confidence: by === null ? 'likely' : 'certain',
    evidence: [{ source: 'own journal', fact: exit.reason }, ...(sender ? [sender.fact] : [])],
    by,
    hint: 'whoever kills by name or by group must leave upkeep-shim alone',
  };
}
