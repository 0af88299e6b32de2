/**
 * One release while it is made: steps the machine of core/release.ts, writes down each step before anything of it is done, and tells
 * how it gets on. What a stage does is given to it.
 */
import {
  stepRelease,
  type ReleaseEffect,
  type ReleaseEvent,
  type ReleaseState,
  type RevertHow,
} from '../core/index.js';
import {
  UpkeepError,
  type ReleaseRequest,
  type ReleaseSpec,
  type ReleaseStage,
  type ReleaseView,
} from '../protocol/index.js';
import { toFailure } from '../supervisor/index.js';
import { deferred } from '../util/index.js';
import type { BuildChoice, StageContext, StageResult } from './job.js';
import type { AcceptedLine } from './journal.js';

/** What serves already is not put in place again. */
export const NEEDLESS = Symbol('it serves already');

export interface ReleaseRunHost {
  /** Resolves when it is on disk. */
  write(run: ReleaseRun): Promise<void>;
  perform(
    run: ReleaseRun,
    stage: ReleaseStage,
    context: StageContext,
  ): Promise<StageResult | typeof NEEDLESS>;
  revert(run: ReleaseRun, how: RevertHow, context: StageContext): Promise<void>;
  /** Something about it is to be shown. */
  onChange(run: ReleaseRun): void;
  onEnd(run: ReleaseRun): void;
  onInternalError(error: unknown): void;
  now(): string;
}

export class ReleaseRun {
  readonly request: ReleaseRequest;
  readonly spec: ReleaseSpec;
  readonly view: ReleaseView;
  readonly ended = deferred();
  artifact: string | null;
  choice: BuildChoice | null;
  #state: ReleaseState;
  readonly #host: ReleaseRunHost;
  #interruption = new AbortController();
  /** Settles when nothing of it is being done. */
  #work: Promise<void> = Promise.resolve();
  /** Of what is being done; the end of what was interrupted tells nothing. */
  #turn = 0;
  #steps: Promise<void> = Promise.resolve();
  #isLetGo = false;

  constructor(line: AcceptedLine, host: ReleaseRunHost) {
    this.request = line.request;
    this.spec = line.spec;
    this.view = line.view;
    this.artifact = line.artifact;
    this.choice = line.choice;
    this.#state = line.state;
    this.#host = host;
  }

  get id(): string {
    return this.view.id;
  }

  get state(): ReleaseState {
    return this.#state;
  }

  get hasEnded(): boolean {
    return this.#state.id === 'ended';
  }

  get line(): AcceptedLine {
    const { request, spec, view, artifact, choice, state } = this;
    return { type: 'accepted', request, spec, view, artifact, choice, state };
  }

  begin(): void {
    this.#send({ id: this.#state.id === 'waiting' ? 'begin' : 'resume' });
  }

  abort(): void {
    this.#send({ id: 'abort' });
  }

  /** The daemon goes: what is being done is given up, and done again by the next one. */
  async letGo(): Promise<void> {
    this.#isLetGo = true;
    this.#interruption.abort(new UpkeepError('interrupted', 'Cannot go on: the daemon ends'));
    await this.#work;
    await this.#steps;
  }

  /** One after the other: a step is on disk before the next one is decided. */
  #send(event: ReleaseEvent): void {
    this.#steps = this.#steps
      .then(() => this.#step(event))
      .catch((error: unknown) => this.#host.onInternalError(error));
  }

  async #step(event: ReleaseEvent): Promise<void> {
    if (this.#isLetGo) return;
    const policy = { last: this.view.kind === 'plan' ? 'preflight' : 'finish' } as const;
    const { state, effects } = stepRelease(this.#state, event, policy);
    if (effects.length === 0) return;
    this.#state = state;
    this.#noteState(state);
    // A full disk stops nothing that is on its way to a whole state; a daemon that comes after this one begins a step earlier.
    await this.#host.write(this).catch((error: unknown) => this.#host.onInternalError(error));
    if (!this.hasEnded) this.#host.onChange(this);
    for (const effect of effects) this.#carryOut(effect);
  }

  #noteState(state: ReleaseState): void {
    const { view } = this;
    const now = this.#host.now();
    const last = view.stages.at(-1);
    view.stage = state.id === 'at' ? state.stage : null;
    view.status = state.id === 'at' ? 'running' : state.id === 'reverting' ? 'reverting' : view.status;
    view.progress = null;
    const goesOn = state.id === 'at' && last?.stage === state.stage;
    if (last && !goesOn) last.finishedAt ??= now;
    if (state.id === 'at' && !goesOn)
      view.stages.push({ stage: state.stage, startedAt: now, finishedAt: null, text: null });
    if (state.id !== 'ended') return;
    view.status = state.outcome;
    view.finishedAt = now;
  }

  #carryOut(effect: ReleaseEffect): void {
    switch (effect.id) {
      case 'perform':
        return this.#do(async (context) => {
          const result = await this.#host.perform(this, effect.stage, context);
          if (result === NEEDLESS) return 'needless';
          this.note(result);
          return 'done';
        });
      case 'interrupt':
        return this.#interruption.abort(new UpkeepError('aborted', `Release ${this.id} was aborted`));
      case 'revert':
        return this.#do(async (context) => {
          await this.#host.revert(this, effect.how, context);
          return 'done';
        });
      case 'end':
        this.#host.onEnd(this);
        return this.ended.resolve();
    }
  }

  /** After whatever is still being done has come to its end. */
  #do(work: (context: StageContext) => Promise<'done' | 'needless'>): void {
    const turn = ++this.#turn;
    this.#work = this.#work.then(async () => {
      if (this.#isLetGo) return;
      if (this.#interruption.signal.aborted) this.#interruption = new AbortController();
      const id = await work(this.#context()).catch((error: unknown) => {
        if (turn === this.#turn && !this.#isLetGo) this.#noteFailure(error);
        return 'failed' as const;
      });
      if (turn === this.#turn) this.#send({ id });
    });
  }

  #context(): StageContext {
    return {
      say: (text) => {
        this.view.progress = text;
        this.#host.onChange(this);
      },
      note: (result) => this.note(result),
      signal: this.#interruption.signal,
    };
  }

  /** What came out, into what is shown. */
  note({ candidates, choice, build, artifact, folder, checks, keys, notes, text }: StageResult): void {
    const { view } = this;
    if (candidates) view.candidates = [...candidates];
    if (choice) this.choice = choice;
    if (build) view.build = build;
    if (artifact !== undefined) this.artifact = artifact;
    if (folder !== undefined) view.folder = folder;
    if (keys) view.keys = keys;
    if (notes) view.notes = [...new Set([...view.notes, ...notes])];
    if (checks) {
      // All of a stage, as they are by now.
      const renewed = new Set(checks.map(({ stage }) => stage));
      view.checks = [...view.checks.filter((check) => !renewed.has(check.stage)), ...checks];
    }
    const stage = view.stages.at(-1);
    if (text !== undefined && stage) stage.text = text;
    this.#host.onChange(this);
  }

  /** Of what somebody has to see to, whatever else went wrong: told in one with it. */
  noteFurtherFailure(error: unknown): void {
    const { failure } = this.view;
    const further = toFailure(error, (bug) => this.#host.onInternalError(bug));
    if (!failure) return void (this.view.failure = further);
    const hints = [further.hint, failure.hint].filter((hint) => hint !== undefined);
    this.view.failure = {
      ...failure,
      message: `${failure.message}; and then: ${further.message}`,
      ...(hints.length === 0 ? {} : { hint: hints.join('; ') }),
    };
  }

  #noteFailure(error: unknown): void {
    const failure = toFailure(error, (bug) => this.#host.onInternalError(bug));
    // One of a worker comes as words.
    if (error instanceof UpkeepError && failure.code === 'internal') this.#host.onInternalError(error);
    // What went wrong first is what is told; what could not be put back, beside it.
    if (this.view.failure) this.view.notes.push(failure.message);
    else this.view.failure = failure;
  }
}
