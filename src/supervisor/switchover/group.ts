/**
 * The services of a group while they are switched together, and the operation that holds them meanwhile. Whoever decides calls
 * from outside; a stop, a delete or an abort of the operation gives it up from inside.
 *
 *   idle ─▶ queued ─▶ open ─▶ committing ─▶ committed
 *              │        │          │ not saved: open again
 *              └────────┴─▶ reverting ─▶ reverted
 */
import { nextJoins } from '../../core/index.js';
import {
  UpkeepError,
  type CheckSpec,
  type ErrorCode,
  type Failure,
  type Requester,
  type ServiceSpec,
} from '../../protocol/index.js';
import { deferred, together, unlessAborted } from '../../util/index.js';
import { runCheck } from '../check.js';
import { isWorthShowing, toFailure } from '../failure.js';
import type { Instance } from '../instance.js';
import type { AcceptedRequest, Operation, Step } from '../operation.js';
import type { Operations } from '../operations.js';
import type { PerformerHost } from '../performer.js';
import type { Sample } from '../sampler.js';
import type { Service } from '../service.js';
import type { BootOptions, SideView, Switchover, SwitchoverWish } from '../switchover.js';
import { Side } from './side.js';
import { viewSide } from './sides.js';
import { untilFallen } from './until-fallen.js';

export interface SwitchoverHost extends Pick<
  PerformerHost,
  'services' | 'create' | 'remove' | 'save' | 'onUpdated' | 'onRollout' | 'onInternalError'
> {
  book(): Operations;
  sample(instances: readonly Instance[]): ReadonlyMap<Instance, Sample>;
  warn(service: string | null, message: string): void;
  /** How long new instances of a former daemon stay where nobody asks for them. @default 60 s */
  readonly unaskedMs?: number | undefined;
}

export type Phase = 'idle' | 'queued' | 'open' | 'committing' | 'committed' | 'reverting' | 'reverted';

export class GroupSwitchover implements Switchover {
  readonly release: string;
  readonly specs: readonly ServiceSpec[];
  readonly notes: string[] = [];
  readonly #host: SwitchoverHost;
  readonly #requester: Requester;
  #wish: SwitchoverWish;
  #phase: Phase;
  /** Of the operation, once it is accepted. */
  #id: string | undefined;
  #operation: Operation | undefined;
  /** It is its turn: the services are held. */
  readonly #turn = deferred<Operation>();
  /** The operation may end. */
  readonly #over = deferred();
  /** Aborted when it is given up, or reverted. */
  readonly #end = new AbortController();
  #because: Failure | undefined;
  #sides: readonly Side[] = [];
  /** Calls come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #committing: Promise<void> | undefined;
  #reverting: Promise<void> | undefined;
  /** The daemon goes: what is still wished is for the next one, and whoever waits does so for ever. */
  #isDetached = false;

  constructor(
    wish: SwitchoverWish,
    requester: Requester,
    host: SwitchoverHost,
    /** What a former daemon made of it: its operation. */
    former?: { readonly id: string; readonly phase: 'queued' | 'committed' },
  ) {
    this.release = wish.release;
    this.specs = wish.specs;
    this.#wish = wish;
    this.#requester = requester;
    this.#host = host;
    this.#phase = former?.phase ?? 'idle';
    this.#id = former?.id;
    this.#turn.promise.catch(() => undefined); // who waits for it hears of it
    if (this.isCommitted) {
      this.#lookAgain();
      for (const side of this.#sides) side.noteCommitted();
    }
  }

  get phase(): Phase {
    return this.#phase;
  }

  get isOneByOne(): boolean {
    return this.#sides.some(({ isBeside }) => !isBeside);
  }

  isLeft(service: string): boolean {
    const { onlyWanted = false } = this.#wish;
    return onlyWanted && !this.#host.services.get(service)?.isWanted;
  }

  get isCommitted(): boolean {
    return this.#phase === 'committed';
  }

  /** It was asked for again, as by the next life of who decides. */
  claim(wish: SwitchoverWish): void {
    this.#wish = wish;
  }

  // ── asked from outside ────────────────────────────────────────────────────────────────────────────────────────────

  async boot({ stableMs, isCompared, signal }: BootOptions): Promise<void> {
    if (this.isCommitted) return;
    try {
      await this.#enter(signal);
      await this.#do(signal, (within) => {
        // Nobody else than a former daemon leaves what is to be replaced.
        const fallen = this.#fallen;
        if (fallen !== undefined) throw hasFallen(this.release, fallen, this.#serves);
        return this.#boot({ stableMs, isCompared, signal: within });
      });
    } catch (error) {
      await this.revert(signal.aborted ? reverted(this.release) : this.#toFailure(error));
      throw error;
    }
  }

  async join(count: number): Promise<void> {
    if (this.isCommitted) return;
    this.#refuseUnlessOpen();
    await this.#do(undefined, (within) => this.#join(count, within));
  }

  async look(): Promise<readonly SideView[]> {
    const seen = this.#sides.flatMap((side) => side.seen);
    const samples = this.#host.sample(seen.map(({ instance }) => instance));
    return Promise.all(seen.map((one) => viewSide(one, samples.get(one.instance))));
  }

  untilFallen(signal: AbortSignal): Promise<string> {
    const services = this.#sides.map(({ service }) => service);
    return untilFallen({ services, look: () => this.#fallen, signal });
  }

  whyNoneYet(service: string): string | undefined {
    const side = this.#sides.find((each) => each.service.name === service);
    if (side?.isScheduled) return 'a schedule starts it';
    return this.isCommitted ? undefined : side?.whyInstead;
  }

  async check(
    service: string,
    index: number,
    check: CheckSpec,
    timeoutMs: number,
  ): Promise<{ isSuccess: boolean; detail: string }> {
    const side = this.#sides.find((each) => each.service.name === service);
    const instance = this.isCommitted ? side?.service.instances[index] : side?.guestAt(index);
    const target = instance?.target;
    if (!target) return { isSuccess: false, detail: `there is no new instance ${index} of ${service}` };
    return runCheck(check, target, timeoutMs);
  }

  commit(): Promise<void> {
    this.#committing ??= this.#commit().catch((error: unknown) => {
      this.#committing = undefined;
      throw error;
    });
    return this.#committing;
  }

  async untilOldGone(signal: AbortSignal): Promise<void> {
    const gone = this.#sides.map(({ service }) =>
      service.until(() => service.all.every(({ role }) => role !== 'old'), signal),
    );
    await this.#unlessDetached(Promise.all(gone));
  }

  revert(because: Failure = reverted(this.release)): Promise<void> {
    this.#reverting ??= this.#revert(because).catch((error: unknown) => {
      this.#reverting = undefined;
      throw error;
    });
    return this.#reverting;
  }

  // ── asked from inside ─────────────────────────────────────────────────────────────────────────────────────────────

  /** It is the turn of the operation: resolves when that may end. */
  async hold(operation: Operation): Promise<void> {
    this.#operation = operation;
    this.#id = operation.id;
    for (const step of operation.steps) this.#host.book().beginStep(operation, step);
    if (this.#phase === 'reverted') return this.#endSteps(this.#because);
    try {
      await this.#open(operation);
    } catch (error) {
      this.#turn.reject(error);
      await this.revert(this.#toFailure(error));
    }
    await this.#over.promise;
  }

  /** Instances of a former daemon have joined: those that were stopped for one that is gone come back. */
  restore(): void {
    for (const side of this.#sides) side.restore();
  }

  detach(): void {
    this.#isDetached = true;
    this.#end.abort(new UpkeepError('interrupted', `The daemon ends before "${this.release}" is switched`));
  }

  // ── how ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Its operation is accepted, and its turn has come. */
  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#refuseIfOver();
    const book = this.#host.book();
    if (this.#phase === 'idle') {
      this.#phase = 'queued';
      const { release, specs } = this;
      const { onlyWanted = false } = this.#wish;
      const which = { release, services: [...specs], ...(onlyWanted ? { onlyWanted } : {}) };
      const request: AcceptedRequest = { kind: 'release', ...which };
      const { id, status } = await book.request(request, this.#requester);
      this.#id = id;
      if (status === 'queued')
        this.#wish.onProgress(`operation ${id} waits for earlier ones on its services`);
    }
    await unlessAborted(AbortSignal.any([signal, this.#end.signal]), this.#turn.promise);
  }

  async #open(operation: Operation): Promise<void> {
    this.#phase = 'open';
    for (const { abort } of operation.steps) {
      abort.signal.throwIfAborted();
      abort.signal.addEventListener('abort', () => this.#giveUp(abort.signal.reason));
    }
    const { services } = this.#host;
    const absent = this.specs.filter(({ name }) => !services.has(name));
    const created = this.#wish.onlyWanted ? [] : absent;
    // Of a release before this one, by the number of an operation; a home that lost its journal counts anew.
    const known = this.specs.flatMap(({ name }) => services.get(name) ?? []);
    const held = known.filter(({ hold }) => hold && hold.operation !== operation.id);
    for (const service of held) service.hold = undefined;
    for (const spec of created)
      this.#host.create(spec).hold = { operation: operation.id, is: 'created', leaving: [] };
    this.#lookAgain();
    // What is found running by the next daemon has to be known to it.
    if (created.length + held.length > 0) await this.#host.save();
    this.#turn.resolve(operation);
  }

  #lookAgain(): void {
    const operation = this.#id!;
    const { services, onRollout } = this.#host;
    const { askedBy } = this.#wish;
    this.#sides = this.specs.flatMap((spec) => {
      const service = services.get(spec.name);
      if (!service) return [];
      const onProgress = (text: string): void => this.#tell(service, text);
      const isLeft = this.isLeft(spec.name);
      return new Side(service, spec, { operation, askedBy, isLeft, onProgress, onGuest: onRollout });
    });
  }

  async #boot({ signal, ...options }: BootOptions): Promise<void> {
    const olds = options.isCompared ? this.#sides.flatMap(({ service }) => service.instances) : [];
    await Promise.all(olds.map((each) => each.counts())); // from now on they count, too
    const booted = new Map(this.#sides.map((side) => [side, deferred()]));
    for (const side of this.#sides) if (side.isLeft) booted.get(side)!.resolve();
    const coming = this.#sides.filter(({ isLeft }) => !isLeft);
    const works = coming.map((side) => async (within: AbortSignal) => {
      // What serves already can be depended on, by whichever release.
      const below = this.#sides.filter(({ service }) => !service.isWanted && rests(side, service.name));
      await unlessAborted(within, Promise.all(below.map((other) => booted.get(other)!.promise)));
      await this.#untilDependenciesAllow(side, within);
      this.#note(side);
      await side.boot({ ...options, signal: within });
      const { service, joining } = side;
      // Where nothing serves, who depends on it needs it already.
      if (!service.isWanted && this.#sides.some((other) => rests(other, service.name)))
        for (const index of joining.waiting) await side.join(index, within);
      booted.get(side)!.resolve();
    });
    await together(signal, works);
  }

  /** Of services that are not switched with it. */
  async #untilDependenciesAllow({ spec, service }: Side, signal: AbortSignal): Promise<void> {
    const others = Object.entries(spec.dependsOn).filter(
      ([name]) => !this.#sides.some((side) => side.service.name === name),
    );
    await Promise.all(
      others.map(async ([name, condition]) => {
        await this.#host.services.get(name)?.untilDependable(condition, service.name, signal);
      }),
    );
  }

  #note({ service, whyInstead, isScheduled }: Side): void {
    const why = isScheduled ? 'a schedule starts it, the next run is by the new description' : undefined;
    const stopped = whyInstead && `${whyInstead}, so each instance is stopped before its successor starts`;
    const words = why ?? stopped;
    if (words === undefined || this.notes.includes(`${service.name}: ${words}`)) return;
    this.notes.push(`${service.name}: ${words}`);
    const view = this.#stepOf(service)?.view;
    if (view) view.notes = [...(view.notes ?? []), `${service.name}: ${words}`];
  }

  async #join(count: number, signal: AbortSignal): Promise<void> {
    const joins = nextJoins(
      this.#sides.map(({ joining }) => joining),
      count,
    );
    for (const { service, instance } of joins) {
      signal.throwIfAborted();
      await this.#sides.find((side) => side.service.name === service)!.join(instance, signal);
    }
  }

  async #commit(): Promise<void> {
    if (this.isCommitted) return this.#untilEnded();
    await this.join(Infinity);
    await this.#do(undefined, async (signal) => {
      const fallen = this.#fallen;
      if (fallen !== undefined) throw hasFallen(this.release, fallen, this.#serves);
      signal.throwIfAborted();
      this.#phase = 'committing'; // from here on nobody gives it up
      await this.#save();
    });
    const leaving = this.#sides.map((side) => ({ side, old: side.exchange() }));
    this.#phase = 'committed';
    for (const side of this.#sides) {
      side.noteCommitted();
      const { service, spec } = side;
      service.failure = undefined;
      this.#host.onUpdated(service.name, Object.keys(spec));
    }
    for (const { side, old } of leaving)
      if (old.length > 0) this.#tell(side.service, 'draining the old ones');
    // Whoever finds that it was a mistake must not have to wait for them: the services are free.
    const gone = Promise.all(leaving.map(({ side, old }) => side.dismiss(old)));
    gone.then(() => this.#saveWhatIsLeft()).catch(this.#host.onInternalError);
    this.#endSteps();
    await this.#untilEnded();
  }

  async #saveWhatIsLeft(): Promise<void> {
    if (this.#isDetached) return;
    await this.#host
      .save()
      .catch((error: Error) => this.#host.warn(null, `state not saved: ${error.message}`));
  }

  async #untilEnded(): Promise<void> {
    await this.#unlessDetached(this.#host.book().untilEnded(this.#id!));
  }

  /** The new description is on disk, or everything is as it was. */
  async #save(): Promise<void> {
    const before = this.#sides.map(({ service }) => service.hold);
    for (const side of this.#sides) {
      side.service.hold = { operation: this.#operation!.id, is: 'committed', leaving: side.leaving };
      side.service.propose(side.spec, !side.isLeft);
    }
    try {
      await this.#unlessDetached(this.#host.save());
    } catch (cause) {
      for (const [place, { service }] of this.#sides.entries()) {
        service.hold = before[place];
        service.propose(undefined);
      }
      this.#phase = 'open';
      const aborted = this.#operation?.steps.find(({ abort }) => abort.signal.aborted);
      if (aborted) this.#giveUp(aborted.abort.signal.reason);
      throw notSaved(this.release, cause as Error, this.#serves);
    }
  }

  async #revert(because: Failure): Promise<void> {
    if (this.#phase === 'committing') await this.#committing?.catch(() => undefined); // then it is not committed
    if (this.isCommitted) throw alreadyCommitted(this.release);
    if (this.#isDetached) return forever();
    if (this.#phase === 'queued' && this.#id !== undefined)
      this.#host.book().abort(this.#id, this.#requester);
    const wasOpen = this.#phase === 'open';
    this.#phase = wasOpen ? 'reverting' : 'reverted';
    this.#because = because;
    this.#end.abort(toError(because));
    await this.#last;
    if (wasOpen) {
      await this.#unlessDetached(Promise.all(this.#sides.map((side) => side.revert())));
      this.#removeCreated();
      await this.#host.save().catch(() => undefined); // what was created is known as such, and removed later
      this.#phase = 'reverted';
    }
    this.#endSteps(because);
  }

  #removeCreated(): void {
    const operation = this.#operation!.id;
    for (const { service } of this.#sides) {
      if (service.hold?.is !== 'created' || service.hold.operation !== operation) continue;
      service.hold = undefined;
      this.#host.remove(service);
    }
  }

  #giveUp(reason: unknown): void {
    if (this.#phase !== 'open') return;
    this.revert(this.#toFailure(reason)).catch(this.#host.onInternalError);
  }

  /** The failure stands at the service that it names. */
  #endSteps(failure?: Failure): void {
    const operation = this.#operation;
    if (!operation) return;
    const culprit =
      operation.steps.find(({ service }) => failure?.message.includes(`"${service}"`)) ?? operation.steps[0];
    for (const step of operation.steps) {
      if (!failure) this.#host.book().endStep(operation, step, 'done');
      else if (step === culprit) this.#fail(operation, step, failure);
      else this.#host.book().endStep(operation, step, 'skipped');
    }
    this.#over.resolve();
  }

  #fail(operation: Operation, step: Step, failure: Failure): void {
    const service = this.#host.services.get(step.service);
    if (service && isWorthShowing(failure))
      service.failure = { operation: operation.id, at: new Date().toISOString(), message: failure.message };
    this.#host.book().endStep(operation, step, 'failed', failure);
  }

  /** One after the other; ends early when it is given up. */
  #do(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const end = this.#end.signal;
    const both = signal ? AbortSignal.any([signal, end]) : end;
    const done = this.#last.then(() => {
      both.throwIfAborted();
      return work(both);
    });
    this.#last = done.catch(() => undefined); // who asked hears of it
    return this.#unlessDetached(done);
  }

  async #unlessDetached<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } finally {
      if (this.#isDetached) await forever();
    }
  }

  get #fallen(): string | undefined {
    if (!this.isCommitted && this.#because && !this.#isDetached) return this.#because.message;
    return this.#sides.map((side) => side.fallen).find((words) => words !== undefined);
  }

  /** Whether there are old ones. */
  get #serves(): boolean {
    return this.#sides.some(({ service }) => service.isWanted);
  }

  #stepOf({ name }: Service): Step | undefined {
    return this.#operation?.steps.find((step) => step.service === name);
  }

  #tell(service: Service, text: string): void {
    const step = this.#stepOf(service);
    if (step) this.#host.book().tellProgress(this.#operation!, step, text);
    this.#wish.onProgress(`${service.name}: ${text}`);
  }

  #toFailure(error: unknown): Failure {
    return toFailure(error, this.#host.onInternalError);
  }

  #refuseIfOver(): void {
    if (this.#because) throw toError(this.#because);
  }

  #refuseUnlessOpen(): void {
    this.#refuseIfOver();
    if (this.#phase === 'open') return;
    throw new UpkeepError(
      'not-running',
      `Cannot switch the services of "${this.release}": its new instances were not started`,
    );
  }
}

function rests({ spec }: Side, lower: string): boolean {
  return Object.hasOwn(spec.dependsOn, lower);
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

function reverted(release: string): Failure {
  return { code: 'aborted', message: `Switchover "${release}" was taken back` };
}

function toError({ code, message, hint, lines }: Failure): UpkeepError {
  return new UpkeepError(code as ErrorCode, message, { hint, details: { lines: lines ?? [] } });
}

function hasFallen(release: string, fallen: string, serves: boolean): UpkeepError {
  return new UpkeepError('release-failed', `Cannot switch to release "${release}": ${fallen}`, {
    hint: serves ? 'the old instances go on serving' : 'see what it wrote: upkeep logs',
  });
}

function notSaved(release: string, cause: Error, serves: boolean): UpkeepError {
  return new UpkeepError(
    'internal',
    `Cannot commit "${release}": the state cannot be saved (${cause.message})`,
    {
      hint: `${serves ? 'the old instances go on serving; ' : ''}see whether the disk of the home of upkeep is full`,
      cause,
    },
  );
}

function alreadyCommitted(release: string): UpkeepError {
  return new UpkeepError('not-running', `Cannot take back "${release}": it is committed`, {
    hint: 'switch to the release before',
  });
}
