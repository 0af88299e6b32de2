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
 * What has been running is drained before it is signalled: it takes no new connections and finishes those it has, until
 * it says that it has (`drained`) or its drain deadline passes.
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
  | WaitingState;

export interface WaitingState {
  readonly id: 'waiting';
  readonly attempt: number;
  readonly history: RestartHistory;
  readonly isCrashLoop: boolean;
  readonly until: number;
  readonly reason: string;
}

interface Alive<Id extends string> {
  readonly id: Id;
  readonly attempt: number;
  readonly history: RestartHistory;
  /** When it was spawned. */
  readonly since: number;
}

interface Leaving<Id extends string> extends Alive<Id> {
  /** It may finish its connections; the stop signal comes after that. */
  readonly isDraining: boolean;
  /** Whether the process itself is gone; its descendants may not be. */
  readonly isGone: boolean;
  /** When SIGKILL is due; while it is drained, at the latest. */
  readonly killAt: number;
}

type LeavingState = Extract<InstanceState, { killAt: number }>;

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
  /** It has no connections left. */
  | { readonly id: 'drained'; readonly at: number; readonly attempt: number }
  /** It lives, but is not worth living: not ready in time, too much memory, unhealthy. */
  | {
      readonly id: 'fail';
      readonly at: number;
      readonly attempt: number;
      readonly kind: 'not-ready' | 'memory' | 'unhealthy';
    }
  | { readonly id: 'timer'; readonly at: number; readonly attempt: number; readonly timer: InstanceTimer };

export type InstanceTimer = 'ready' | 'drain' | 'kill' | 'retry';

/** `serve`: its successor comes after it, so it takes new connections as long as its streams keep it. `leave`: it does not. */
export type DrainMode = 'serve' | 'leave';

export type InstanceEffect =
  | { readonly id: 'spawn'; readonly attempt: number }
  /** Lets it finish its connections; who cannot answers `drained` at once. */
  | { readonly id: 'drain'; readonly attempt: number; readonly mode: DrainMode; readonly until: number }
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
  /** The highest attempt number that is in use beside this instance, as during a reload. @default 0 */
  readonly takenAttempt?: number;
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
    case 'drained':
      return drained(state, event.at, policy);
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
  const attempt = Math.max(lastAttempt, policy.takenAttempt ?? 0) + 1;
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
      return signal({ ...state, ...LEAVING, id: 'stopping', next }, at, policy);
    case 'running':
      return drain(
        { ...state, ...LEAVING, id: 'stopping', next },
        next === 'start' ? 'serve' : 'leave',
        at,
        policy,
      );
    case 'ending': {
      const { attempt, history, since, isDraining, isGone, killAt } = state;
      return {
        state: { id: 'stopping', attempt, history, since, isDraining, isGone, killAt, next },
        effects: [],
      };
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
  const failing = { ...state, ...LEAVING, id: 'ending', ending, at } as const;
  if (state.id === 'starting') return signal(failing, at, policy);
  return drain(failing, kind === 'memory' ? 'serve' : 'leave', at, policy);
}

/** What is said of an attempt that begins to leave. */
const LEAVING = { isDraining: false, isGone: false, killAt: 0 };

function drain(state: LeavingState, mode: DrainMode, at: number, policy: InstancePolicy): InstanceStep {
  const { drainMs, graceMs } = policy.stop;
  if (drainMs === 0) return signal(state, at, policy);
  const { attempt } = state;
  const until = at + drainMs;
  return {
    state: { ...state, isDraining: true, killAt: until + graceMs },
    effects: [
      { id: 'drain', attempt, mode, until },
      { id: 'set-timer', attempt, timer: 'drain', at: until },
    ],
  };
}

function drained(state: InstanceState, at: number, policy: InstancePolicy): InstanceStep {
  const isDraining = (state.id === 'ending' || state.id === 'stopping') && state.isDraining;
  return isDraining ? signal(state, at, policy) : { state, effects: [] };
}

function signal(state: LeavingState, at: number, policy: InstancePolicy): InstanceStep {
  const { attempt } = state;
  const killAt = at + policy.stop.graceMs;
  return {
    state: { ...state, isDraining: false, killAt },
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
      const { ending, at } = event;
      const ended = { ...state, ...LEAVING, id: 'ending', isGone: true, killAt, ending, at } as const;
      return isOver ? over(ended, event, policy) : sweep(ended, policy);
    }
    case 'ending':
    case 'stopping': {
      if (state.isGone) return { state, effects: [] };
      // What it leaves behind has its grace from here on, where the signal had not come yet.
      const killAt = state.isDraining ? event.at + policy.stop.graceMs : state.killAt;
      const gone = { ...state, isGone: true, isDraining: false, killAt };
      return isOver ? over(gone, event, policy) : sweep(gone, policy);
    }
    case 'stopped':
    case 'completed':
    case 'waiting':
      return { state, effects: [] };
    default:
      return unreachable(state);
  }
}

/** The process is gone and left descendants: they are asked to go as well, until `killAt`. */
function sweep(state: LeavingState, policy: InstancePolicy): InstanceStep {
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
  state: LeavingState,
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
    case 'drain':
      return drained(state, event.at, policy);
    case 'retry':
      return state.id === 'waiting'
        ? spawn(attempt, state.history, event.at, policy)
        : { state, effects: [] };
    case 'kill': {
      if ((state.id !== 'ending' && state.id !== 'stopping') || state.isDraining)
        return { state, effects: [] };
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

function killEffect(state: LeavingState, policy: InstancePolicy): InstanceEffect {
  const { attempt } = state;
  return policy.stop.killScope === 'process'
    ? { id: 'signal', attempt, signal: 'SIGKILL' }
    : { id: 'kill-tree', attempt };
}
