/**
 * Decides the life of one instance: what is spawned, signalled, waited for. Pure: no clock, no spawn, no promise.
 *
 *                          start                      became-ready
 *    stopped, completed ──────────────▶ starting ─────────────────────▶ running
 *          ▲     ▲                       │  ▲                              │
 *          │     │                       │  │ retry timer                  │  exited by itself, or
 *          │     │ complete       exited │  │                              │  fail (not ready, memory, unhealthy)
 *          │     │                       ▼  │                              ▼
 *          │     └──────────────────── ending ◀─────────────────────────────
 *          │                             │  decideRestart, once the tree is empty
 *          │ then: stop                  ▼
 *       stopping ◀──── stop ───── waiting (a restart soon, or a slow try in a crash loop)
 *          │  ▲
 *          │  └── stop, restart, from starting, running and ending; start, from ending
 *          └───── then: start, once the tree is empty ──▶ starting
 *
 * An attempt is over only when its whole tree is (`emptied`; for kill scope `process`: when the process is), so two
 * attempts of one instance never live at the same time and "stopped" is said only when nothing is left.
 */
import type { RestartSpec, SignalName, StopSpec } from '../protocol/index.js';
import { unreachable } from '../util/index.js';
import { decideRestart, NO_FAILURES, type Ending, type RestartHistory } from './restart.js';

export type InstanceState =
  | { readonly id: 'stopped'; readonly attempt: number }
  | { readonly id: 'completed'; readonly attempt: number; readonly reason: string }
  | Alive<'starting'>
  | Alive<'running'>
  /** It ended by itself or was found failing; what is left of its tree is being ended. */
  | (Leaving<'ending'> & { readonly ending: Ending; readonly at: number })
  /** It is being ended on request. */
  | (Leaving<'stopping'> & { readonly next: 'stop' | 'start' })
  | {
      readonly id: 'waiting';
      readonly attempt: number;
      readonly history: RestartHistory;
      readonly isCrashLoop: boolean;
      readonly until: number;
      readonly reason: string;
    };

interface Alive<Id extends string> {
  readonly id: Id;
  readonly attempt: number;
  readonly history: RestartHistory;
  /** When it was spawned. */
  readonly since: number;
}

interface Leaving<Id extends string> extends Alive<Id> {
  /** Whether the process itself is gone; its descendants may not be. */
  readonly isGone: boolean;
  /** When SIGKILL is due. */
  readonly killAt: number;
}

export type InstanceEvent =
  | { readonly id: 'start'; readonly at: number }
  | { readonly id: 'stop'; readonly at: number }
  | { readonly id: 'restart'; readonly at: number }
  | { readonly id: 'became-ready'; readonly at: number; readonly attempt: number }
  /** The process ended. `isTreeEmpty`: and left nobody behind. `jitter`: from [0, 1). */
  | {
      readonly id: 'exited';
      readonly at: number;
      readonly attempt: number;
      readonly ending: Ending;
      readonly isTreeEmpty: boolean;
      readonly jitter: number;
    }
  /** The last descendant is gone too. */
  | { readonly id: 'emptied'; readonly at: number; readonly attempt: number; readonly jitter: number }
  /** It lives, but is not worth living: not ready in time, too much memory, unhealthy. */
  | {
      readonly id: 'fail';
      readonly at: number;
      readonly attempt: number;
      readonly kind: 'not-ready' | 'memory' | 'unhealthy';
    }
  | { readonly id: 'timer'; readonly at: number; readonly attempt: number; readonly timer: InstanceTimer };

export type InstanceTimer = 'ready' | 'kill' | 'retry';

export type InstanceEffect =
  | { readonly id: 'spawn'; readonly attempt: number }
  /** To the process itself. */
  | { readonly id: 'signal'; readonly attempt: number; readonly signal: SignalName }
  /** To what the process left behind. */
  | { readonly id: 'signal-tree'; readonly attempt: number; readonly signal: SignalName }
  | { readonly id: 'kill-tree'; readonly attempt: number }
  /** Nothing lives any more: collect the last output and let the shim go. */
  | { readonly id: 'release'; readonly attempt: number }
  | {
      readonly id: 'set-timer';
      readonly attempt: number;
      readonly timer: InstanceTimer;
      readonly at: number;
    };

export interface InstancePolicy {
  readonly restart: RestartSpec;
  readonly stop: StopSpec;
  readonly readyTimeoutMs: number;
}

export interface InstanceStep {
  readonly state: InstanceState;
  readonly effects: readonly InstanceEffect[];
}

/** What a crash left behind gets this long between the stop signal and SIGKILL. */
export const SWEEP_MS = 1000;
/** SIGKILL is repeated after this long, because a tree may fork while it is being killed. */
export const KILL_AGAIN_MS = 250;

export function createInstance(attempt = 0): InstanceState {
  return { id: 'stopped', attempt };
}

/** It had done its work before this daemon began, and need not run again. */
export function completedInstance(attempt: number): InstanceState {
  return { id: 'completed', attempt, reason: 'it had completed before' };
}

/** An attempt that a former daemon started and that still lives. */
export function adoptInstance(attempt: number, since: number, isReady: boolean): InstanceState {
  return { id: isReady ? 'running' : 'starting', attempt, since, history: NO_FAILURES };
}

export function step(state: InstanceState, event: InstanceEvent, policy: InstancePolicy): InstanceStep {
  // News of an earlier attempt (a late exit, a stale timer) must not touch the current one.
  if ('attempt' in event && event.attempt !== state.attempt) return { state, effects: [] };
  switch (event.id) {
    case 'start':
      return start(state, event.at, policy);
    case 'stop':
      return leave(state, event.at, 'stop', policy);
    case 'restart':
      return leave(state, event.at, 'start', policy);
    case 'became-ready':
      return { state: state.id === 'starting' ? { ...state, id: 'running' } : state, effects: [] };
    case 'fail':
      return isAlive(state) ? fail(state, event.at, event.kind, policy) : { state, effects: [] };
    case 'exited':
      return exited(state, event, policy);
    case 'emptied':
      return emptied(state, event, policy);
    case 'timer':
      return timer(state, event, policy);
    default:
      return unreachable(event);
  }
}

function isAlive(state: InstanceState): state is Alive<'starting'> | Alive<'running'> {
  return state.id === 'starting' || state.id === 'running';
}

function start(state: InstanceState, at: number, policy: InstancePolicy): InstanceStep {
  switch (state.id) {
    case 'stopped':
    case 'completed':
    case 'waiting':
      return spawn(state.attempt, NO_FAILURES, at, policy);
    case 'ending':
    case 'stopping':
      return leave(state, at, 'start', policy);
    case 'starting':
    case 'running':
      return { state, effects: [] };
    default:
      return unreachable(state);
  }
}

function spawn(
  lastAttempt: number,
  history: RestartHistory,
  at: number,
  policy: InstancePolicy,
): InstanceStep {
  const attempt = lastAttempt + 1;
  return {
    state: { id: 'starting', attempt, history, since: at },
    effects: [
      { id: 'spawn', attempt },
      { id: 'set-timer', attempt, timer: 'ready', at: at + policy.readyTimeoutMs },
    ],
  };
}

/** Ends what lives, on request; `next` says what follows. */
function leave(
  state: InstanceState,
  at: number,
  next: 'stop' | 'start',
  policy: InstancePolicy,
): InstanceStep {
  switch (state.id) {
    case 'stopped':
    case 'completed':
    case 'waiting':
      if (next === 'start') return spawn(state.attempt, NO_FAILURES, at, policy);
      return { state: { id: 'stopped', attempt: state.attempt }, effects: [] };
    case 'starting':
    case 'running':
      return signal(
        { ...state, id: 'stopping', isGone: false, killAt: at + policy.stop.graceMs, next },
        policy,
      );
    case 'ending': {
      const { attempt, history, since, isGone, killAt } = state;
      return { state: { id: 'stopping', attempt, history, since, isGone, killAt, next }, effects: [] };
    }
    case 'stopping':
      return { state: { ...state, next }, effects: [] };
    default:
      return unreachable(state);
  }
}

function fail(
  state: Alive<'starting'> | Alive<'running'>,
  at: number,
  kind: 'not-ready' | 'memory' | 'unhealthy',
  policy: InstancePolicy,
): InstanceStep {
  const ending: Ending = { kind, code: null };
  return signal(
    { ...state, id: 'ending', isGone: false, killAt: at + policy.stop.graceMs, ending, at },
    policy,
  );
}

function signal(state: Extract<InstanceState, { killAt: number }>, policy: InstancePolicy): InstanceStep {
  const { attempt, killAt } = state;
  return {
    state,
    effects: [
      { id: 'signal', attempt, signal: policy.stop.signal },
      { id: 'set-timer', attempt, timer: 'kill', at: killAt },
    ],
  };
}

function exited(
  state: InstanceState,
  event: Extract<InstanceEvent, { id: 'exited' }>,
  policy: InstancePolicy,
): InstanceStep {
  const isOver = event.isTreeEmpty || policy.stop.killScope === 'process';
  switch (state.id) {
    case 'starting':
    case 'running': {
      const killAt = event.at + Math.min(SWEEP_MS, policy.stop.graceMs);
      const ended = {
        ...state,
        id: 'ending',
        isGone: true,
        killAt,
        ending: event.ending,
        at: event.at,
      } as const;
      return isOver ? over(ended, event, policy) : sweep(ended, policy);
    }
    case 'ending':
    case 'stopping':
      if (state.isGone) return { state, effects: [] };
      return isOver
        ? over({ ...state, isGone: true }, event, policy)
        : sweep({ ...state, isGone: true }, policy);
    case 'stopped':
    case 'completed':
    case 'waiting':
      return { state, effects: [] };
    default:
      return unreachable(state);
  }
}

/** The process is gone and left descendants: they are asked to go as well, until `killAt`. */
function sweep(state: Extract<InstanceState, { killAt: number }>, policy: InstancePolicy): InstanceStep {
  const { attempt, killAt } = state;
  return {
    state,
    effects: [
      { id: 'signal-tree', attempt, signal: policy.stop.signal },
      { id: 'set-timer', attempt, timer: 'kill', at: killAt },
    ],
  };
}

function emptied(
  state: InstanceState,
  event: Extract<InstanceEvent, { id: 'emptied' }>,
  policy: InstancePolicy,
): InstanceStep {
  if (state.id !== 'ending' && state.id !== 'stopping') return { state, effects: [] };
  // The tree cannot be empty while its root lives; the root's own exit is on its way.
  if (!state.isGone) return { state, effects: [] };
  return over(state, event, policy);
}

/** Nothing of the attempt lives: on to what was asked for, or to what the restart policy says. */
function over(
  state: Extract<InstanceState, { killAt: number }>,
  event: { readonly at: number; readonly jitter: number },
  policy: InstancePolicy,
): InstanceStep {
  const { attempt } = state;
  const release: InstanceEffect = { id: 'release', attempt };
  if (state.id === 'stopping') {
    if (state.next === 'stop') return { state: { id: 'stopped', attempt }, effects: [release] };
    return first(release, spawn(attempt, NO_FAILURES, event.at, policy));
  }
  const ended = { ending: state.ending, since: state.since, at: state.at, jitter: event.jitter };
  const decision = decideRestart(ended, state.history, policy.restart);
  if (decision.kind === 'complete') {
    return { state: { id: 'completed', attempt, reason: decision.reason }, effects: [release] };
  }
  const { history, delayMs, reason } = decision;
  if (delayMs === 0) return first(release, spawn(attempt, history, event.at, policy));
  const until = event.at + delayMs;
  const isCrashLoop = decision.kind === 'crash-loop';
  return {
    state: { id: 'waiting', attempt, history, isCrashLoop, until, reason },
    effects: [release, { id: 'set-timer', attempt, timer: 'retry', at: until }],
  };
}

function first(effect: InstanceEffect, { state, effects }: InstanceStep): InstanceStep {
  return { state, effects: [effect, ...effects] };
}

function timer(
  state: InstanceState,
  event: Extract<InstanceEvent, { id: 'timer' }>,
  policy: InstancePolicy,
): InstanceStep {
  const { attempt } = state;
  switch (event.timer) {
    case 'ready':
      return state.id === 'starting' ? fail(state, event.at, 'not-ready', policy) : { state, effects: [] };
    case 'retry':
      return state.id === 'waiting'
        ? spawn(attempt, state.history, event.at, policy)
        : { state, effects: [] };
    case 'kill': {
      if (state.id !== 'ending' && state.id !== 'stopping') return { state, effects: [] };
      const again = event.at + KILL_AGAIN_MS;
      return {
        state,
        effects: [killEffect(state, policy), { id: 'set-timer', attempt, timer: 'kill', at: again }],
      };
    }
    default:
      return unreachable(event.timer);
  }
}

function killEffect(
  state: Extract<InstanceState, { killAt: number }>,
  policy: InstancePolicy,
): InstanceEffect {
  const { attempt } = state;
  return policy.stop.killScope === 'process'
    ? { id: 'signal', attempt, signal: 'SIGKILL' }
    : { id: 'kill-tree', attempt };
}
