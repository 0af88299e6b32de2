/**
 * Decides how a release goes on: which stage is next, and what is put back where one fails, is given up, or the daemon that
 * did it was killed. Until `commit` is done the old instances serve by the old description, so whatever happens before it
 * is undone by sending the new ones away; after it, by switching back to the release before.
 *
 * ```
 *            begin        done, done, …                          done
 *  waiting ────────▶ at resolve ──▶ … ──▶ at commit ──▶ at bake ──────▶ at finish ──▶ ended (succeeded)
 *     │                 │ failed, abort                    │ failed, abort
 *     │ abort           ▼                                  ▼
 *     │            reverting (dismiss) ──reverted──┐  reverting (switch-back) ──reverted──▶ ended (rolled-back)
 *     ▼                                            ▼
 *  ended (aborted)                        ended (failed, aborted)
 * ```
 *
 * Every stage can be done again: a daemon that comes after a killed one performs the stage that it finds (`resume`).
 */
import { RELEASE_STAGES, type ReleaseStage } from '../protocol/index.js';

export type ReleaseOutcome = 'succeeded' | 'failed' | 'rolled-back' | 'aborted';

/** `dismiss`: new instances go, the old ones have never stopped serving. `switch-back`: the release before is put in place again. */
export type RevertHow = 'dismiss' | 'switch-back';

export type ReleaseState =
  | { readonly id: 'waiting' }
  | { readonly id: 'at'; readonly stage: ReleaseStage }
  | {
      readonly id: 'reverting';
      readonly how: RevertHow;
      /** The stage that it came to. */
      readonly from: ReleaseStage;
      readonly outcome: Exclude<ReleaseOutcome, 'succeeded'>;
    }
  | { readonly id: 'ended'; readonly outcome: ReleaseOutcome };

export type ReleaseEvent =
  /** It holds the lock of its group. */
  | { readonly id: 'begin' }
  /** The stage, or what was to be put back, is done. */
  | { readonly id: 'done' }
  | { readonly id: 'failed' }
  /** What is asked for serves already. */
  | { readonly id: 'needless' }
  | { readonly id: 'abort' }
  /** A daemon found it in its journal. */
  | { readonly id: 'resume' };

export type ReleaseEffect =
  | { readonly id: 'perform'; readonly stage: ReleaseStage }
  /** What is being performed is to end early. */
  | { readonly id: 'interrupt' }
  | { readonly id: 'revert'; readonly how: RevertHow }
  | { readonly id: 'end'; readonly outcome: ReleaseOutcome };

export interface ReleasePolicy {
  /** Where it ends: `finish`; of a plan: `preflight`. */
  readonly last: ReleaseStage;
}

export interface ReleaseStep {
  readonly state: ReleaseState;
  readonly effects: readonly ReleaseEffect[];
}

/** From here on the new release is what the service is. */
const COMMITTED: ReadonlySet<ReleaseStage> = new Set(['bake', 'finish']);

export const WAITING: ReleaseState = { id: 'waiting' };

/** Half way over the line is brought over it, and so is what is being put back; the bake is where it can still be sent back. */
const NOT_TO_BE_LEFT: ReadonlySet<ReleaseStage> = new Set(['commit', 'finish']);

/** Whether it can be given up. */
export function mayAbort(state: ReleaseState): boolean {
  return state.id === 'waiting' || (state.id === 'at' && !NOT_TO_BE_LEFT.has(state.stage));
}

/** Whether its instances stand beside those of the release before, or are being sent away. */
export function isSwitching(state: ReleaseState): boolean {
  if (state.id !== 'at') return state.id === 'reverting';
  const place = RELEASE_STAGES.indexOf(state.stage);
  return place >= RELEASE_STAGES.indexOf('boot') && !COMMITTED.has(state.stage);
}

export function stepRelease(
  state: ReleaseState,
  event: ReleaseEvent,
  policy: ReleasePolicy = { last: 'finish' },
): ReleaseStep {
  switch (state.id) {
    case 'waiting':
      return stepWaiting(state, event);
    case 'at':
      return stepStage(state, event, policy);
    case 'reverting':
      return stepReverting(state, event);
    case 'ended':
      return { state, effects: [] };
  }
}

function stepWaiting(state: ReleaseState, { id }: ReleaseEvent): ReleaseStep {
  if (id === 'begin') return at(RELEASE_STAGES[0]);
  return id === 'abort' ? end('aborted') : { state, effects: [] };
}

type AtStage = Extract<ReleaseState, { id: 'at' }>;

function stepStage({ stage }: AtStage, { id }: ReleaseEvent, { last }: ReleasePolicy): ReleaseStep {
  const state: ReleaseState = { id: 'at', stage };
  switch (id) {
    case 'begin':
      return { state, effects: [] };
    case 'resume':
      return { state, effects: [{ id: 'perform', stage }] };
    case 'done':
      return stage === last ? end('succeeded') : next(stage);
    case 'needless':
      return RELEASE_STAGES.indexOf(stage) < RELEASE_STAGES.indexOf('boot')
        ? end('succeeded')
        : { state, effects: [] };
    case 'failed':
      // It serves, and it is good: what could not be tidied up is told, and nothing more.
      if (stage === 'finish') return end('succeeded');
      return revert(stage, COMMITTED.has(stage) ? 'rolled-back' : 'failed');
    case 'abort':
      if (!mayAbort(state)) return { state, effects: [] };
      return revert(stage, COMMITTED.has(stage) ? 'rolled-back' : 'aborted', [{ id: 'interrupt' }]);
  }
}

function stepReverting(state: Extract<ReleaseState, { id: 'reverting' }>, { id }: ReleaseEvent): ReleaseStep {
  const { how, outcome } = state;
  switch (id) {
    case 'done':
      return end(outcome);
    // What cannot be put back by itself is told with the failure; the release is over all the same.
    case 'failed':
      return end('failed');
    case 'resume':
      return { state, effects: [{ id: 'revert', how }] };
    case 'begin':
    case 'needless':
    case 'abort':
      return { state, effects: [] };
  }
}

function next(stage: ReleaseStage): ReleaseStep {
  const following = RELEASE_STAGES[RELEASE_STAGES.indexOf(stage) + 1];
  return following ? at(following) : end('succeeded');
}

function at(stage: ReleaseStage): ReleaseStep {
  return { state: { id: 'at', stage }, effects: [{ id: 'perform', stage }] };
}

function revert(
  from: ReleaseStage,
  outcome: Exclude<ReleaseOutcome, 'succeeded'>,
  before: readonly ReleaseEffect[] = [],
): ReleaseStep {
  const how = COMMITTED.has(from) ? 'switch-back' : 'dismiss';
  return { state: { id: 'reverting', how, from, outcome }, effects: [...before, { id: 'revert', how }] };
}

function end(outcome: ReleaseOutcome): ReleaseStep {
  return { state: { id: 'ended', outcome }, effects: [{ id: 'end', outcome }] };
}
