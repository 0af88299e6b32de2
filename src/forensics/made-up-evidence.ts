/** For tests: evidence of an end about which nothing else is known. */
import type { ExitView } from '../protocol/index.js';
import type { SeenSignal } from '../system/index.js';
import { NO_TESTIMONY, type ExitEvidence, type Testimony } from './evidence.js';

export const MAIN = 100;
export const SHIM = 99;
export const STRANGER = 4121;
export const ENDED_AT = 1_700_000_100_000;

export function madeUpExit(of: Partial<ExitView> = {}): ExitView {
  const { signal = null } = of;
  return {
    attempt: 1,
    kind: signal === null ? 'exited' : 'signalled',
    code: signal === null ? 1 : null,
    signal,
    askedBy: null,
    reason: signal === null ? `exit code ${of.code ?? 1}` : `ended by ${signal}, not sent by upkeep`,
    at: new Date(ENDED_AT).toISOString(),
    livedMs: 100_000,
    leftBehind: 0,
    lastLines: [],
    ...of,
  };
}

export function madeUpEvidence(exit: Partial<ExitView>, of: Partial<ExitEvidence> = {}): ExitEvidence {
  const view = madeUpExit(exit);
  return {
    exit: view,
    endedAt: ENDED_AT,
    begunAt: ENDED_AT - view.livedMs,
    pid: MAIN,
    shim: SHIM,
    argv: ['node', 'server.js'],
    asked: null,
    hint: null,
    error: null,
    testimony: testimony(),
    serverKill: null,
    tree: new Set(),
    signals: { missing: 'only root may read it' },
    audit: { missing: 'there is no /var/log/audit/audit.log' },
    kernel: { missing: 'only root may read it' },
    group: { missing: 'its control group does not count' },
    err: [],
    out: [],
    variables: new Set(['PATH']),
    describe: (pid, _at, name) => ({
      pid,
      name,
      place: pid === MAIN ? 'itself' : pid === SHIM ? 'upkeep' : 'outside',
      command: name,
      uid: 0,
      startedAt: null,
      parents: [],
    }),
    holderOf: (port) => `pid ${STRANGER} (other on ${port})`,
    ...of,
  };
}

export function testimony(of: Partial<Testimony> = {}): Testimony {
  return { ...NO_TESTIMONY, pids: new Set([MAIN]), ...of };
}

export function seen(of: Partial<SeenSignal>): SeenSignal {
  return { at: ENDED_AT - 5, signal: 9, target: MAIN, sender: STRANGER, senderName: 'bash', code: 0, ...of };
}
