/** Words how an attempt ended. */
import type { Ending } from '../core/index.js';
import type { Evidence, ExitError, ExitView } from '../protocol/index.js';
import { signalName } from '../system/index.js';

/** How the process itself ended, as the kernel told the shim. */
export type AttemptExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number; readonly hasCore?: boolean }
  | { readonly kind: 'spawn-failed'; readonly fact: string; readonly hint?: string | undefined }
  | { readonly kind: 'unknown'; readonly fact: string };

export function toEnding(exit: AttemptExit): Ending {
  return { kind: exit.kind, code: exit.kind === 'exited' ? exit.code : null };
}

export interface ExitContext {
  readonly attempt: number;
  readonly askedBy: string | null;
  readonly at: Date;
  readonly livedMs: number;
  readonly lastLines: readonly string[];
  /** How many descendants outlived it. */
  readonly leftBehind: number;
  readonly error: ExitError | null;
  /** What it was doing when it was found failing. */
  readonly evidence?: Evidence | undefined;
}

/** What Node says on stderr when its inspector is opened for evidence. */
const OF_INSPECTOR =
  /^(?:Debugger (?:listening on ws:|attached\.|ending on ws:)|For help, see: https:\/\/nodejs\.org\/)/;

export function describeExit(exit: AttemptExit, context: ExitContext): ExitView {
  return {
    attempt: context.attempt,
    kind: exit.kind,
    code: exit.kind === 'exited' ? exit.code : null,
    signal: exit.kind === 'signalled' ? signalName(exit.signal) : null,
    askedBy: context.askedBy,
    reason: wordExit(exit, context),
    error: context.error,
    at: context.at.toISOString(),
    livedMs: Math.max(0, Math.round(context.livedMs)),
    leftBehind: context.leftBehind,
    lastLines: context.lastLines.filter((line) => !OF_INSPECTOR.test(line)),
    ...(context.evidence ? { evidence: context.evidence } : {}),
    ...(exit.kind === 'signalled' && exit.hasCore ? { hasCore: true } : {}),
  };
}

function wordExit(exit: AttemptExit, { askedBy, leftBehind }: ExitContext): string {
  const by = askedBy === null ? '' : `, asked by ${askedBy}`;
  // Where upkeep asked for the end, it is dealing with them.
  const left =
    leftBehind > 0 && askedBy === null
      ? `, leaving ${leftBehind === 1 ? 'a process' : `${leftBehind} processes`} behind`
      : '';
  switch (exit.kind) {
    case 'exited':
      return `exit code ${exit.code}${by}${left}`;
    case 'signalled':
      return `ended by ${signalName(exit.signal)}${askedBy === null ? ', not sent by upkeep' : by}${left}`;
    case 'spawn-failed':
    case 'unknown':
      return exit.fact;
  }
}
