/**
 * What the life of an instance promises, for the property tests: a witness who sees the truth of the simulated world,
 * hears what `step` answers, and throws at the first promise that is broken.
 */
import {
  KILL_AGAIN_MS,
  type InstanceEffect,
  type InstanceEvent,
  type InstancePolicy,
  type InstanceState,
  type InstanceTimer,
} from './instance.js';
import { NO_FAILURES, type Ending } from './restart.js';

export const PROMISES = {
  oneLife: 'two attempts never live at the same time',
  stayStopped: 'nothing is spawned while stop is the last word',
  gone: 'after stop or restart nothing outlives the kill deadline',
  restEmpty: 'stopped, completed and waiting are said only when nothing lives',
  release: 'every attempt is released exactly once, when it is over',
  count: 'every spawn is attempt = last + 1',
  obey: 'a start or restart that finds nothing up ends in a spawn',
  noSilentEnd: 'nothing that is wanted rests, unless its policy says that it is done',
  alarm: 'no state waits without an alarm',
  noGhost: 'nothing is called up whose end was told',
  pastIsPast: 'news of an older attempt change nothing',
  onceIsEnough: 'news that were told before change nothing',
  drain: 'what ran is drained before its stop signal, or its drain deadline has passed',
  grace: 'SIGKILL comes only after the stop signal and its grace',
  noStranger: 'no signal goes to a process whose end was told, nor beyond the kill scope',
  row: 'a wished start begins a new row of failures, a retry continues it',
} as const;

export class BrokenPromise extends Error {}

/** One attempt as it truly is. */
export interface Tree {
  readonly attempt: number;
  /** How it ends when it ends by itself. */
  readonly ending: Ending;
  isRootAlive: boolean;
  hasDescendants: boolean;
  /** How often a part of it will still escape SIGKILL by forking. */
  forks: number;
  /** When the deadline of its drain is; before it was drained: never. */
  drainUntil: number;
  isDrainTold: boolean;
  isEndTold: boolean;
  /** When the grace after the first stop signal is over. */
  killableAt: number;
  isKilled: boolean;
  releases: number;
}

/** The truth that `step` only hears of. */
export interface Truth {
  readonly policy: InstancePolicy;
  /** How late news and timers come at most. */
  readonly latestMs: number;
  readonly now: number;
  readonly state: InstanceState;
  readonly trees: ReadonlyMap<number, Tree>;
  readonly alarms: ReadonlySet<{ readonly timer: InstanceTimer; readonly attempt: number }>;
}

export class Witness {
  readonly #truth: Truth;
  #isWanted: boolean;
  /** What lives must be gone by then: it was asked to end. */
  #goneBy = Infinity;
  /** A spawn must have come by then: it was asked for. */
  #spawnBy = Infinity;
  /** Of the attempt that was up last. */
  #last = { row: 0, wasStable: false };

  constructor(truth: Truth, isWanted: boolean) {
    this.#truth = truth;
    this.#isWanted = isWanted;
  }

  onCommand(id: 'start' | 'stop' | 'restart'): void {
    const { now, state, latestMs } = this.#truth;
    const goneBy = now + this.killMs(this.#truth.trees.get(state.attempt));
    this.#isWanted = id !== 'stop';
    if (id !== 'start') this.#goneBy = Math.min(this.#goneBy, goneBy);
    if (id === 'stop') this.#spawnBy = Infinity;
    // A spawn that fails takes a moment; then the news of the end take theirs.
    else if (id === 'restart' || !isUp(state)) this.#spawnBy = Math.min(this.#spawnBy, goneBy + 1 + latestMs);
  }

  onStep(before: InstanceState, event: InstanceEvent, effects: readonly InstanceEffect[]): void {
    const { state, policy } = this.#truth;
    if ('attempt' in event && event.attempt !== before.attempt) {
      keep('pastIsPast', state === before && effects.length === 0);
    }
    if (before.id === 'running' && policy.stop.drainMs > 0) {
      keep('drain', !effects.some(({ id }) => id === 'signal'));
    }
    if (isUp(before) && !(isUp(state) && state.attempt === before.attempt)) {
      const { history, since } = before;
      this.#last = { row: history.row, wasStable: event.at - since >= policy.restart.stableMs };
    }
  }

  onEcho(before: InstanceState, effects: readonly InstanceEffect[]): void {
    keep('onceIsEnough', this.#truth.state === before && effects.length === 0);
  }

  onSpawn(attempt: number): void {
    const { trees, state } = this.#truth;
    const last = trees.get(attempt - 1);
    keep('count', attempt === Math.max(0, ...trees.keys()) + 1);
    keep('stayStopped', this.#isWanted);
    keep('release', last === undefined || last.releases === 1);
    keep('oneLife', !this.#isAnythingAlive());
    if (state.id === 'starting') this.#checkRow(state);
    this.#goneBy = Infinity;
    this.#spawnBy = Infinity;
  }

  onSignal(tree: Tree, effect: InstanceEffect): void {
    const { now, policy } = this.#truth;
    keep('noStranger', tree.releases === 0);
    if (effect.id === 'signal') keep('noStranger', !tree.isEndTold);
    else keep('noStranger', policy.stop.killScope === 'tree');
    if (effect.id === 'signal') keep('drain', tree.isDrainTold || now >= tree.drainUntil);
    const isKill = effect.id === 'kill-tree' || ('signal' in effect && effect.signal === 'SIGKILL');
    if (isKill) keep('grace', now >= tree.killableAt);
  }

  onRelease(tree: Tree): void {
    keep('release', tree.releases === 0 && !this.#isAlive(tree));
  }

  /** What holds after every step, once its effects are done. */
  checkState(): void {
    const { state, trees } = this.#truth;
    const tree = trees.get(state.attempt);
    switch (state.id) {
      case 'stopped':
        keep('noSilentEnd', !this.#isWanted);
        return this.#checkRest(tree);
      case 'completed':
        keep('noSilentEnd', this.#isDone(tree!));
        return this.#checkRest(tree);
      case 'waiting':
        this.#checkAlarm('retry');
        return this.#checkRest(tree);
      case 'starting':
        this.#checkAlarm('ready');
        return keep('noGhost', !tree!.isEndTold);
      case 'running':
        return keep('noGhost', !tree!.isEndTold);
      case 'ending':
      case 'stopping':
        this.#checkAlarm(state.isDraining ? 'drain' : 'kill');
        return keep('release', tree!.releases === 0);
    }
  }

  /** What holds whenever time has passed. */
  checkDeadlines(): void {
    const { now } = this.#truth;
    if (now > this.#goneBy) keep('gone', !this.#isAnythingAlive());
    keep('obey', now <= this.#spawnBy);
  }

  /** From a request to end until SIGKILL has got hold of the last fork. */
  killMs(tree: Pick<Tree, 'forks' | 'isKilled'> | undefined): number {
    const { policy, latestMs } = this.#truth;
    // Who is being killed already has to wait for the next round.
    const rounds = tree ? tree.forks + (tree.isKilled ? 1 : 0) : 0;
    // Twice late: the exit of the root sets the timer anew that was about to ring.
    return this.#drainMs() + policy.stop.graceMs + 2 * latestMs + rounds * (KILL_AGAIN_MS + latestMs);
  }

  /** What is not running has no connections to finish. */
  #drainMs(): number {
    const { state, policy, latestMs } = this.#truth;
    const mayDrain = state.id === 'running' || ('isDraining' in state && state.isDraining);
    return mayDrain ? policy.stop.drainMs + latestMs : 0;
  }

  #isAnythingAlive(): boolean {
    return [...this.#truth.trees.values()].some((tree) => this.#isAlive(tree));
  }

  #isAlive(tree: Tree): boolean {
    return tree.isRootAlive || (tree.hasDescendants && this.#truth.policy.stop.killScope === 'tree');
  }

  #isDone({ ending: { kind, code } }: Tree): boolean {
    const { policy, stopExitCodes } = this.#truth.policy.restart;
    if (policy === 'never') return true;
    if (kind !== 'exited' || code === null) return false;
    return stopExitCodes.includes(code) || (policy === 'on-failure' && code === 0);
  }

  #checkRest(tree: Tree | undefined): void {
    keep('restEmpty', tree === undefined || !this.#isAlive(tree));
    keep('release', tree === undefined || tree.releases === 1);
  }

  #checkAlarm(timer: InstanceTimer): void {
    const { state, alarms } = this.#truth;
    const isSet = [...alarms].some((alarm) => alarm.timer === timer && alarm.attempt === state.attempt);
    keep('alarm', isSet);
  }

  #checkRow({ history }: Extract<InstanceState, { id: 'starting' }>): void {
    const isWished = this.#spawnBy < Infinity;
    const row = this.#last.wasStable ? 1 : this.#last.row + 1;
    keep('row', isWished ? history === NO_FAILURES : history.row === row);
  }
}

function isUp(state: InstanceState): state is Extract<InstanceState, { id: 'starting' | 'running' }> {
  return state.id === 'starting' || state.id === 'running';
}

function keep(promise: keyof typeof PROMISES, isKept: boolean): void {
  if (!isKept) throw new BrokenPromise(PROMISES[promise]);
}
