/**
 * A world for one instance, for the property tests: a clock, processes that misbehave in every way a process can, and
 * news of them that come late, twice or out of order. It feeds `step` and carries out the effects; a witness watches.
 */
import { Witness, type Tree, type Truth } from './instance-promises.js';
import {
  adoptInstance,
  createInstance,
  step,
  SWEEP_MS,
  type InstanceEffect,
  type InstanceEvent,
  type InstancePolicy,
  type InstanceState,
  type InstanceTimer,
} from './instance.js';
import type { Ending } from './restart.js';

/** How one attempt lives. Times count from its spawn; null: never. */
export interface Life {
  readonly isSpawned: boolean;
  readonly readyMs: number | null;
  readonly failMs: number | null;
  readonly endMs: number | null;
  readonly ending: Ending;
  /** From the begin of a drain to the end of its last connection. */
  readonly drainMs: number | null;
  /** From the stop signal to its exit. */
  readonly obeyMs: number | null;
  readonly hasDescendants: boolean;
  readonly descendantsEndMs: number | null;
  /** From the stop signal to the end of its descendants. */
  readonly descendantsObeyMs: number | null;
  /** How often a part of the tree escapes SIGKILL by forking. */
  readonly forks: number;
}

export interface History {
  readonly policy: InstancePolicy;
  /** A former daemon's attempt that still lives. */
  readonly adopted: 'running' | 'starting' | null;
  readonly commands: readonly { readonly afterMs: number; readonly id: 'start' | 'stop' | 'restart' }[];
  /** In turn, one an attempt. */
  readonly lives: readonly Life[];
  /** How late news and timers come, in turn. */
  readonly lagsMs: readonly number[];
  /** When old news are told again, and how many news ago they were new. */
  readonly echoes: readonly { readonly afterMs: number; readonly age: number }[];
}

type News = Extract<InstanceEvent, { attempt: number }>;
type OnStep = (state: InstanceState, event: InstanceEvent) => void;

const ADOPTED_ATTEMPT = 7;
const SPAWN_FAILS_MS = 1;
/** Watched after the last command, beyond the kill deadline: a few rounds of retries. */
const AFTERMATH_MS = 1000;
/** A policy may allow a restart a millisecond: enough is enough. */
const MOST_TURNS = 400;

export class SimulatedWorld implements Truth {
  readonly policy: InstancePolicy;
  readonly latestMs: number;
  readonly trees = new Map<number, Tree>();
  readonly alarms = new Set<{ readonly timer: InstanceTimer; readonly attempt: number }>();
  state: InstanceState = createInstance();
  now = 0;

  readonly #history: History;
  readonly #witness: Witness;
  readonly #onStep: OnStep;
  readonly #agenda: { readonly at: number; readonly happen: () => void }[] = [];
  readonly #told: News[] = [];
  #lags = 0;

  constructor(history: History, onStep: OnStep = () => {}) {
    this.#history = history;
    this.policy = history.policy;
    this.latestMs = Math.max(...history.lagsMs);
    this.#onStep = onStep;
    this.#witness = new Witness(this, history.adopted !== null);
    if (history.adopted) this.#adopt(history.adopted);
  }

  /** Lives through the history and long enough afterwards for every deadline to pass. Throws `BrokenPromise`. */
  run(): void {
    const { commands, echoes } = this.#history;
    const lastAt = this.#planAll(commands, ({ id }) => this.#command(id));
    this.#planAll(echoes, ({ age }) => this.#echo(age));
    let isOver = false;
    this.#plan(lastAt + this.#longestKillMs() + AFTERMATH_MS, () => (isOver = true));
    for (let turn = 0; turn < MOST_TURNS && !isOver; turn++) {
      const { at, happen } = this.#agenda.shift()!;
      this.now = at;
      this.#witness.checkDeadlines();
      happen();
    }
  }

  // What happens to the instance

  #adopt(id: 'running' | 'starting'): void {
    this.state = adoptInstance(ADOPTED_ATTEMPT, 0, id === 'running');
    this.#live(ADOPTED_ATTEMPT);
    // The alarms of the former daemon died with it.
    if (id === 'starting') this.#setAlarm('ready', ADOPTED_ATTEMPT, this.policy.readyTimeoutMs);
  }

  #command(id: 'start' | 'stop' | 'restart'): void {
    this.#witness.onCommand(id);
    this.#step({ id, at: this.now });
  }

  #tell(news: News): void {
    // That there are no descendants is no lasting news while the root lives: it may fork again.
    const isLasting = news.id !== 'emptied' || this.trees.get(news.attempt)!.isEndTold;
    if (news.id !== 'timer' && isLasting) this.#told.push(news);
    this.#step(news);
  }

  #echo(age: number): void {
    const told = this.#told.at(-1 - age);
    if (!told) return;
    const before = this.state;
    this.#witness.onEcho(before, this.#step({ ...told, at: this.now }));
  }

  #step(event: InstanceEvent): readonly InstanceEffect[] {
    const before = this.state;
    this.#onStep(before, event);
    const { state, effects } = step(before, event, this.policy);
    this.state = state;
    this.#witness.onStep(before, event, effects);
    for (const effect of effects) this.#do(effect);
    this.#witness.checkState();
    return effects;
  }

  // What the effects do

  #do(effect: InstanceEffect): void {
    if (effect.id === 'spawn') return this.#spawn(effect.attempt);
    if (effect.id === 'set-timer') return this.#setAlarm(effect.timer, effect.attempt, effect.at);
    const tree = this.trees.get(effect.attempt)!;
    if (effect.id === 'release') {
      this.#witness.onRelease(tree);
      tree.releases++;
      return;
    }
    if (effect.id === 'drain') return this.#drain(tree, effect.until);
    this.#witness.onSignal(tree, effect);
    if (effect.id === 'kill-tree') this.#killTree(tree);
    else if (effect.id === 'signal-tree') this.#askDescendants(tree);
    else if (effect.signal === 'SIGKILL') this.#endRoot(tree, { kind: 'signalled', code: null });
    else this.#askRoot(tree);
  }

  #spawn(attempt: number): void {
    this.#witness.onSpawn(attempt);
    this.#live(attempt);
  }

  #live(attempt: number): void {
    const life = this.#lifeOf(attempt);
    const tree: Tree = {
      attempt,
      ending: life.ending,
      isRootAlive: life.isSpawned,
      hasDescendants: life.isSpawned && life.hasDescendants,
      forks: life.forks,
      drainUntil: -Infinity,
      isDrainTold: false,
      isEndTold: false,
      killableAt: Infinity,
      isKilled: false,
      releases: 0,
    };
    this.trees.set(attempt, tree);
    if (!life.isSpawned) {
      this.#planIn(SPAWN_FAILS_MS, () => this.#tellEnd(tree, { kind: 'spawn-failed', code: null }));
      return;
    }
    this.#tellIn(life.readyMs, (at) => ({ id: 'became-ready', at, attempt }));
    this.#tellIn(life.failMs, (at) => ({ id: 'fail', at, attempt, kind: 'memory' }));
    this.#planIn(life.endMs, () => this.#endRoot(tree, life.ending));
    this.#planIn(life.descendantsEndMs, () => this.#endDescendants(tree));
  }

  #drain(tree: Tree, until: number): void {
    const { attempt } = tree;
    tree.drainUntil = until;
    this.#tellIn(this.#lifeOf(attempt).drainMs, (at) => {
      tree.isDrainTold = true;
      return { id: 'drained', at, attempt };
    });
  }

  #askRoot(tree: Tree): void {
    tree.killableAt = Math.min(tree.killableAt, this.now + this.policy.stop.graceMs);
    const { obeyMs } = this.#lifeOf(tree.attempt);
    this.#planIn(obeyMs, () => this.#endRoot(tree, { kind: 'exited', code: 0 }));
  }

  #askDescendants(tree: Tree): void {
    const graceMs = Math.min(SWEEP_MS, this.policy.stop.graceMs);
    tree.killableAt = Math.min(tree.killableAt, this.now + graceMs);
    const { descendantsObeyMs } = this.#lifeOf(tree.attempt);
    this.#planIn(descendantsObeyMs, () => this.#endDescendants(tree));
  }

  #killTree(tree: Tree): void {
    const isForking = tree.forks > 0 && (tree.isRootAlive || tree.hasDescendants);
    tree.isKilled = true;
    this.#endRoot(tree, { kind: 'signalled', code: null });
    if (isForking) {
      tree.forks--;
      tree.hasDescendants = true;
    } else {
      this.#endDescendants(tree);
    }
  }

  #endRoot(tree: Tree, ending: Ending): void {
    if (!tree.isRootAlive) return;
    tree.isRootAlive = false;
    this.#tellEnd(tree, ending);
  }

  /** Also below a root that lives on: whoever looks for descendants finds none. */
  #endDescendants(tree: Tree): void {
    if (!tree.hasDescendants) return;
    tree.hasDescendants = false;
    const { attempt } = tree;
    this.#tellIn(0, (at) =>
      tree.hasDescendants ? null : { id: 'emptied', at, attempt, jitter: this.#jitter() },
    );
  }

  #tellEnd(tree: Tree, ending: Ending): void {
    const { attempt } = tree;
    this.#tellIn(0, (at) => {
      tree.isEndTold = true;
      return { id: 'exited', at, attempt, ending, isTreeEmpty: !tree.hasDescendants, jitter: this.#jitter() };
    });
  }

  // Time

  #planAll<T extends { readonly afterMs: number }>(
    entries: readonly T[],
    happen: (entry: T) => void,
  ): number {
    let at = 0;
    for (const entry of entries) {
      at += entry.afterMs;
      this.#plan(at, () => happen(entry));
    }
    return at;
  }

  #planIn(afterMs: number | null, happen: () => void): void {
    if (afterMs !== null) this.#plan(this.now + afterMs, happen);
  }

  #tellIn(afterMs: number | null, news: (at: number) => News | null): void {
    if (afterMs === null) return;
    this.#planIn(afterMs + this.#lag(), () => {
      const event = news(this.now);
      if (event) this.#tell(event);
    });
  }

  /** A timer that is set anew replaces the one before it; those of older attempts ring all the same. */
  #setAlarm(timer: InstanceTimer, attempt: number, at: number): void {
    for (const set of this.alarms) {
      if (set.timer === timer && set.attempt === attempt) this.alarms.delete(set);
    }
    const alarm = { timer, attempt };
    this.alarms.add(alarm);
    this.#plan(Math.max(this.now, at) + this.#lag(), () => {
      const isCurrent = this.alarms.delete(alarm);
      if (isCurrent) this.#tell({ id: 'timer', at: this.now, attempt, timer });
    });
  }

  #plan(at: number, happen: () => void): void {
    const later = this.#agenda.findIndex((entry) => entry.at > at);
    this.#agenda.splice(later < 0 ? this.#agenda.length : later, 0, { at, happen });
  }

  // What the history holds

  #lifeOf(attempt: number): Life {
    const { lives } = this.#history;
    return lives[attempt % lives.length]!;
  }

  #lag(): number {
    const { lagsMs } = this.#history;
    return lagsMs[this.#lags++ % lagsMs.length]!;
  }

  #jitter(): number {
    return (this.#lags % 10) / 10;
  }

  #longestKillMs(): number {
    const trees = this.#history.lives.map(({ forks }) => ({ forks, isKilled: true }));
    return this.policy.stop.drainMs + Math.max(...trees.map((tree) => this.#witness.killMs(tree)));
  }
}
