/**
 * The stages that touch what serves: new instances are started without traffic, let in, watched, and kept or sent away. All of it
 * can be done again, by the daemon that comes after this one.
 */
import type { RevertHow } from '../core/index.js';
import { UpkeepError, type HookPoint, type ReleaseCheck, type ReleaseStage } from '../protocol/index.js';
import type { Supervisor, Switchover, SwitchoverWish } from '../supervisor/index.js';
import type { Clock } from '../system/index.js';
import { makeCurrent } from './folder/index.js';
import type { StageContext, StageResult } from './job.js';
import type { ReleaseRun } from './release-run.js';
import { OutsideTraffic } from './outside-traffic.js';
import { folderOf, servicesOf, smokeOf } from './own-folder.js';
import { askSmoke } from './verify/index.js';
import { whatServesOn, wordFacts } from './words.js';
import type { TaskName } from './worker/message.js';

export interface LiveHost {
  readonly clock: Clock;
  readonly supervisor: Pick<Supervisor, 'switchover'>;
  /** In a child process. */
  work(run: ReleaseRun, task: TaskName, context: StageContext): Promise<StageResult>;
  /** What served before this one. */
  previousOf(run: ReleaseRun): ReleaseRun | undefined;
  /** New kinds that the new instances have written by now. */
  lookForErrors(run: ReleaseRun, switchover: Switchover): Promise<readonly ReleaseCheck[]>;
  /** Looks at both sides until the time is over, or more than it; rejects as soon as the new one is not good. */
  watch(
    run: ReleaseRun,
    switchover: Switchover,
    phase: WatchPhase,
    context: StageContext,
  ): Promise<StageResult>;
}

/** `bake`: the old ones have gone. */
export type WatchPhase = 'canary' | 'verify' | 'bake';

/** In the order of the machine; the stages before these are done by a worker. */
export type LiveStage = Exclude<ReleaseStage, 'resolve' | 'fetch' | 'stage' | 'install' | 'preflight'>;

export class LiveStages {
  readonly #host: LiveHost;
  readonly #switchovers = new Map<string, Switchover>();
  readonly #traffic = new Map<string, OutsideTraffic>();
  /** Of releases that are over, by group: they still let in who could not be let in. */
  readonly #left = new Map<string, readonly OutsideTraffic[]>();

  constructor(host: LiveHost) {
    this.#host = host;
  }

  async perform(run: ReleaseRun, stage: LiveStage, context: StageContext): Promise<StageResult> {
    switch (stage) {
      case 'prepare':
        return this.#hooks(run, 'beforeSwitch', context);
      case 'boot':
        return this.#boot(run, context);
      case 'canary':
        return this.#canary(run, context);
      case 'switch':
        return this.#letAllIn(run, context);
      case 'verify':
        return this.#verify(run, context);
      case 'commit':
        return this.#commit(run, context);
      case 'bake':
        return this.#bake(run, context);
      case 'finish':
        return this.#finish(run, context);
    }
  }

  async revert(run: ReleaseRun, how: RevertHow, context: StageContext): Promise<void> {
    try {
      if (how === 'dismiss') await this.#dismiss(run, context);
      else await this.#switchBack(run, context);
    } finally {
      // Whatever could not be done: nobody goes on to keep this host out for this release.
      this.#forget(run);
    }
    // A plan has nothing to undo.
    if (run.view.kind !== 'plan')
      context.note({ notes: await notesOf(this.#hooks(run, 'onFailure', context)) });
    context.note({ notes: await notesOf(this.#host.work(run, 'prune', context)) });
  }

  /** The daemon goes. */
  close(): void {
    for (const outside of [...this.#traffic.values(), ...[...this.#left.values()].flat()]) outside.close();
  }

  async #boot(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = this.#switchover(run, context);
    await this.#bootAt(run, switchover, context).catch((error: unknown) => {
      throw withWaived(error, run);
    });
    const checks = await this.#check(run, switchover, context);
    return { checks, notes: switchover.notes, text: `${countOf(run)} started, checked without traffic` };
  }

  /** Some of the new ones, or this host with a small share of what comes from outside. */
  async #canary(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const { verify, traffic } = run.spec;
    if (isWayBack(run)) return { text: 'it has served before' };
    if (!verify.canary) return { text: 'none is configured' };
    const switchover = await this.#booted(run, context);
    const { instances } = verify.canary;
    const notes = traffic ? await this.#comeIn(run, switchover, context) : [];
    if (!traffic) await switchover.join(instances);
    const result = await this.#host.watch(run, switchover, 'canary', context);
    const isByWeight = traffic && notes.length === 0 && this.#outside(run).hasWeights;
    const share = isByWeight ? 'this host with a part of its weight' : `${instances} of each service`;
    return { ...result, notes, text: `${share}: ${result.text ?? 'nothing was wrong'}` };
  }

  async #letAllIn(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = await this.#booted(run, context);
    const { verify, traffic } = run.spec;
    // Who goes back is in a hurry: the port stays open, so nothing has to be taken out for it.
    const isOut = traffic && !verify.canary && !isWayBack(run);
    const notes = isOut ? await this.#comeIn(run, switchover, context) : [];
    await switchover.join(Infinity);
    await this.#unlessFallen(run, context, async (within) => {
      if (isWayBack(run)) notes.push(...(await this.#leaveOut(run, within)));
      else await this.#outside(run).in(100, within);
      await this.#hooks(run, 'afterSwitch', within);
    });
    return { notes, text: `${countOf(run)} take traffic beside the old ones` };
  }

  /** What is out stays out, but for what a release before this one has taken out and could not let in again. */
  async #leaveOut(run: ReleaseRun, context: StageContext): Promise<string[]> {
    const left = this.#left.get(run.view.group) ?? [];
    const late = await Promise.all(left.map((outside) => outside.inAtLast(context)));
    return [...late.flat(), ...(await this.#outside(run).inUnlessOut(context))];
  }

  /** Out, in with new ones, and back with a small share: of the host where there are weights and it could go, or else of its instances. */
  async #comeIn(run: ReleaseRun, switchover: Switchover, context: StageContext): Promise<string[]> {
    const { canary } = run.spec.verify;
    const outside = this.#outside(run);
    const notes = await outside.out(context);
    const isByWeight = outside.hasWeights && notes.length === 0;
    await switchover.join(canary && !isByWeight ? canary.instances : Infinity);
    await outside.in(canary ? outside.canaryShare : 100, context);
    return notes;
  }

  async #verify(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = await this.#booted(run, context);
    await switchover.join(Infinity);
    // Who goes back is in a hurry, and what it goes back to is known.
    if (isWayBack(run)) return { text: 'it has served before' };
    return this.#host.watch(run, switchover, 'verify', context);
  }

  async #commit(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = this.#switchover(run, context);
    if (!switchover.isCommitted) await this.#booted(run, context);
    await switchover.commit();
    return { text: 'the new instances are the service, the old ones drain', ...(await link(run)) };
  }

  async #bake(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    if (run.spec.verify.bakeMs === 0 || isWayBack(run)) return { text: 'none' };
    return this.#host.watch(run, this.#switchover(run, context), 'bake', context);
  }

  async #finish(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    await this.#switchover(run, context).untilOldGone(context.signal);
    this.#forget(run);
    const notes = await notesOf(this.#hooks(run, 'afterRelease', context));
    const pruned = await this.#host.work(run, 'prune', context);
    return { ...pruned, notes: [...notes, ...(pruned.notes ?? [])] };
  }

  async #dismiss(run: ReleaseRun, context: StageContext): Promise<void> {
    const hasCome = (stage: ReleaseStage): boolean => run.view.stages.some((each) => each.stage === stage);
    const isIn = hasCome('canary') || hasCome('switch');
    // Before `boot` there is nothing to send away.
    const switchover = hasCome('boot') ? this.#switchover(run, context) : undefined;
    // Others serve while the new ones leave; where that cannot be, the old ones are there.
    const services = isIn ? this.#outside(run).services : [];
    const isOut = isIn ? this.#tryOut(run, context, services) : Promise.resolve();
    if (switchover?.isOneByOne) await isOut;
    try {
      await switchover?.revert(run.view.failure ?? undefined);
    } finally {
      await isOut;
      if (isIn) await this.#backIn(run, context, services);
    }
  }

  async #leaveByHand(outside: OutsideTraffic, context: StageContext, services: string[]): Promise<string[]> {
    const { going, notes } = await outside.partOut(context, services);
    context.note({ notes });
    return going;
  }

  async #tryOut(run: ReleaseRun, context: StageContext, services: string[]): Promise<void> {
    const notes = await this.#outside(run)
      .out(context, services)
      .catch((error: Error) => [error.message]);
    context.note({ notes });
  }

  /** A host that gets nothing, or too little, is no note: whoever asked for the release has to see to it. */
  async #backIn(run: ReleaseRun, context: StageContext, services: string[]): Promise<void> {
    await this.#outside(run)
      .in(100, context, services)
      .catch((error: unknown) => {
        if (!context.signal.aborted) run.noteFurtherFailure(error);
      });
  }

  /** The release before is put in place as any other is: started beside, let in, and then this one goes. */
  async #switchBack(run: ReleaseRun, context: StageContext): Promise<void> {
    // Who is out before it begins is so by hand; what a daemon before this one has taken out for it looks the same.
    const isBegunHere = this.#switchovers.has(run.id);
    this.#forget(run);
    const previous = this.#host.previousOf(run);
    if (!previous) {
      throw new UpkeepError(
        'release-failed',
        `Cannot go back from release ${run.id}: there is none before it`,
        {
          hint: 'it serves on; release a better one',
        },
      );
    }
    context.say(`putting release ${previous.id} back`);
    const name = `${run.id} back to ${previous.id}`;
    // Who was stopped or deleted meanwhile was so on purpose.
    const wish = { ...this.#wish(previous, name, context), onlyWanted: true };
    const switchover = this.#host.supervisor.switchover(wish, run.view.requester);
    // Who is not brought back would be waited for in vain.
    const outside = this.#outside(run);
    const wanted = outside.services.filter((service) => !switchover.isLeft(service));
    const going = isBegunHere ? this.#leaveByHand(outside, context, wanted) : Promise.resolve(wanted);
    const isOut = going.then((services) => this.#tryOut(run, context, services));
    try {
      const options = { stableMs: 0, isCompared: false, signal: context.signal };
      if (!switchover.isCommitted) await switchover.boot(options);
      if (switchover.isOneByOne) await isOut;
      await switchover.commit();
    } finally {
      // Whichever serves from here on, whatever else cannot be done.
      await isOut;
      await this.#backIn(run, context, await going);
    }
    context.note(await link(previous));
    await switchover.untilOldGone(context.signal);
  }

  /** A daemon before this one may have had it further than this one finds it. */
  async #booted(run: ReleaseRun, context: StageContext): Promise<Switchover> {
    const switchover = this.#switchover(run, context);
    await this.#bootAt(run, switchover, context);
    return switchover;
  }

  /** What has served before is not looked at for long. */
  #bootAt(run: ReleaseRun, switchover: Switchover, { signal }: StageContext): Promise<void> {
    const isCompared = !isWayBack(run);
    return switchover.boot({ stableMs: isCompared ? run.spec.verify.stableMs : 0, isCompared, signal });
  }

  /** Rejects as soon as one of the new ones has fallen: nobody waits for what is done meanwhile. */
  async #unlessFallen(
    run: ReleaseRun,
    context: StageContext,
    work: (within: StageContext) => Promise<void>,
  ): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([context.signal, over.signal]);
    const fall = this.#switchover(run, context)
      .untilFallen(signal)
      .then((text): never => {
        const { id, group } = run.view;
        throw new UpkeepError('release-failed', `Release ${id} of "${group}" is not good: ${text}`, {
          hint: `${whatServesOn(run)}its output: upkeep logs ${run.spec.services[0]!.name}`,
        });
      });
    const done = work({ ...context, signal });
    done.catch(() => undefined); // or it was not waited for
    try {
      await Promise.race([done, fall]);
    } finally {
      over.abort();
    }
  }

  #outside(run: ReleaseRun): OutsideTraffic {
    const known = this.#traffic.get(run.id);
    if (known) return known;
    // It lets all in by itself; a way back does not.
    if (!isWayBack(run)) this.#closeLeft(run.view.group);
    const made = new OutsideTraffic(run.spec, this.#host.clock);
    this.#traffic.set(run.id, made);
    return made;
  }

  #forget(run: ReleaseRun): void {
    this.#switchovers.delete(run.id);
    const outside = this.#traffic.get(run.id);
    if (!outside) return;
    this.#traffic.delete(run.id);
    outside.leave();
    const { group } = run.view;
    const left = [...(this.#left.get(group) ?? []), outside];
    this.#left.set(
      group,
      left.filter(({ owes }) => owes),
    );
  }

  #closeLeft(group: string): void {
    for (const outside of this.#left.get(group) ?? []) outside.close();
    this.#left.delete(group);
  }

  #switchover(run: ReleaseRun, context: StageContext): Switchover {
    const known = this.#switchovers.get(run.id);
    if (known) return known;
    const made = this.#host.supervisor.switchover(this.#wish(run, run.id, context), run.view.requester);
    this.#switchovers.set(run.id, made);
    return made;
  }

  #wish(of: ReleaseRun, release: string, context: StageContext): SwitchoverWish {
    return {
      release,
      specs: servicesOf(of),
      askedBy: `release ${release}`,
      onProgress: (text) => context.say(text),
    };
  }

  /** Of each new instance by itself; all are asked, so that all that is wrong is told. */
  async #check(
    run: ReleaseRun,
    switchover: Switchover,
    context: StageContext,
  ): Promise<readonly ReleaseCheck[]> {
    const { spec } = run;
    context.say('smoke checks');
    const smoke = await askSmoke({ smoke: smokeOf(run), stage: 'boot', switchover });
    context.note({ checks: smoke });
    context.say('new errors');
    // Of what is gone back to they are known.
    const errors = isWayBack(run) ? [] : await this.#host.lookForErrors(run, switchover);
    const checks = [...smoke, ...errors];
    context.note({ checks });
    const [noSmoke, newErrors] = [failedOf(smoke), failedOf(errors)];
    const facts = [
      ...(noSmoke.length > 0
        ? [`its smoke check failed: ${noSmoke.map(({ text }) => text).join('; ')}`]
        : []),
      ...(newErrors.length > 0 ? [`it writes new errors: ${wordFacts(newErrors)}`] : []),
    ];
    if (facts.length === 0) return checks;
    const output = `the output of the new instances: upkeep logs ${spec.services[0]!.name}`;
    const hint = newErrors[0]?.hint === undefined ? output : `one in full: ${newErrors[0].hint}`;
    throw new UpkeepError(
      'not-verified',
      `Cannot let release ${run.id} of "${spec.name}" in: ${facts.join('; ')}`,
      { hint: `${whatServesOn(run)}${hint}` },
    );
  }

  #hooks(run: ReleaseRun, point: HookPoint, context: StageContext): Promise<StageResult> {
    if (run.spec.hooks[point].length === 0) return Promise.resolve({});
    return this.#host.work(run, `hooks ${point}`, context);
  }
}

/** What was known to be wrong with its configuration, and let through, may be why. */
function withWaived(error: unknown, { view }: ReleaseRun): unknown {
  const waived = view.checks.filter(
    ({ name, verdict }) => verdict === 'waived' && name.startsWith('contract'),
  );
  if (waived.length === 0 || !(error instanceof UpkeepError)) return error;
  const facts = waived.map(({ text }) => text).join('; ');
  const { code, message, hint, details } = error;
  return new UpkeepError(code, `${message}; before it was let through: ${facts}`, {
    hint,
    details,
    cause: error,
  });
}

/** What cannot be tidied up is told, and changes nothing of how the release ended. */
function notesOf(work: Promise<StageResult | void>): Promise<readonly string[]> {
  return work.then(
    (result) => result?.notes ?? [],
    (error: Error) => [error.message],
  );
}

function failedOf(checks: readonly ReleaseCheck[]): readonly ReleaseCheck[] {
  return checks.filter(({ verdict }) => verdict === 'failed');
}

function isWayBack({ view }: ReleaseRun): boolean {
  return view.kind === 'rollback';
}

/** Where it cannot be: nothing that runs looks at it. */
async function link(run: ReleaseRun): Promise<StageResult> {
  try {
    await makeCurrent(run.spec.folder, folderOf(run));
    return {};
  } catch (error) {
    return { notes: [(error as Error).message] };
  }
}

function countOf({ spec }: ReleaseRun): string {
  const count = spec.services.reduce((sum, { instances }) => sum + instances, 0);
  return count === 1 ? '1 new instance' : `${count} new instances`;
}
