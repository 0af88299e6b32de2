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
import { settle } from './settle.js';
import { askSmoke } from './verify/index.js';
import type { TaskName } from './worker/message.js';

export interface LiveHost {
  readonly clock: Clock;
  readonly supervisor: Pick<Supervisor, 'switchover'>;
  /** In a child process. */
  work(run: ReleaseRun, task: TaskName, context: StageContext): Promise<StageResult>;
  /** What served before this one. */
  previousOf(run: ReleaseRun): ReleaseRun | undefined;
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
    if (how === 'dismiss') await this.#dismiss(run, context);
    else await this.#switchBack(run, context);
    await this.#hooks(run, 'onFailure', context);
    const { notes = [] } = await this.#host.work(run, 'prune', context);
    context.note({ notes });
  }

  async #boot(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = this.#switchover(run, context);
    await switchover.boot({ stableMs: stableMs(run), signal: context.signal });
    const checks = await this.#smoke(run, switchover, context);
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
    const share = traffic ? 'this host with a part of its weight' : `${instances} of each service`;
    return { ...result, notes, text: `${share}: ${result.text ?? 'nothing was wrong'}` };
  }

  async #letAllIn(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    const switchover = await this.#booted(run, context);
    const { verify, traffic } = run.spec;
    const notes = traffic && !verify.canary ? await this.#comeIn(run, switchover, context) : [];
    await switchover.join(Infinity);
    await this.#outside(run).in(100, context);
    await this.#hooks(run, 'afterSwitch', context);
    return { notes, text: `${countOf(run)} take traffic beside the old ones` };
  }

  /** Out, in with all new ones, and back with a small share. */
  async #comeIn(run: ReleaseRun, switchover: Switchover, context: StageContext): Promise<string[]> {
    const outside = this.#outside(run);
    const notes = await outside.out(context);
    await switchover.join(Infinity);
    await outside.in(run.spec.verify.canary ? outside.canaryShare : 100, context);
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
    return { text: 'the old instances have drained and ended', ...(await link(run)) };
  }

  async #bake(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    if (run.spec.verify.bakeMs === 0 || isWayBack(run)) return { text: 'none' };
    return this.#host.watch(run, this.#switchover(run, context), 'bake', context);
  }

  async #finish(run: ReleaseRun, context: StageContext): Promise<StageResult> {
    this.#forget(run);
    const hooks = await this.#hooks(run, 'afterRelease', context).catch((error: Error) => ({
      notes: [error.message],
    }));
    const pruned = await this.#host.work(run, 'prune', context);
    return { ...pruned, notes: [...(hooks.notes ?? []), ...(pruned.notes ?? [])] };
  }

  async #dismiss(run: ReleaseRun, context: StageContext): Promise<void> {
    const hasCome = (stage: ReleaseStage): boolean => run.view.stages.some((each) => each.stage === stage);
    const isIn = hasCome('canary') || hasCome('switch');
    // Others serve while the new ones leave; where that cannot be, the old ones are there.
    if (isIn) await this.#tryOut(run, context);
    // Before `boot` there is nothing to send away.
    if (hasCome('boot')) await this.#switchover(run, context).revert(run.view.failure ?? undefined);
    if (isIn) await this.#outside(run).in(100, context);
    this.#forget(run);
  }

  async #tryOut(run: ReleaseRun, context: StageContext): Promise<void> {
    const notes = await this.#outside(run)
      .out(context)
      .catch((error: Error) => [error.message]);
    context.note({ notes });
  }

  /** The release before is put in place as any other is: started beside, let in, and then this one goes. */
  async #switchBack(run: ReleaseRun, context: StageContext): Promise<void> {
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
    const switchover = this.#host.supervisor.switchover(
      this.#wish(previous, name, context),
      run.view.requester,
    );
    await this.#tryOut(run, context);
    if (!switchover.isCommitted) await switchover.boot({ stableMs: 0, signal: context.signal });
    await switchover.commit();
    await this.#outside(run).in(100, context);
    this.#forget(run);
    context.note(await link(previous));
  }

  /** A daemon before this one may have had it further than this one finds it. */
  async #booted(run: ReleaseRun, context: StageContext): Promise<Switchover> {
    const switchover = this.#switchover(run, context);
    await switchover.boot({ stableMs: stableMs(run), signal: context.signal });
    return switchover;
  }

  #outside(run: ReleaseRun): OutsideTraffic {
    const known = this.#traffic.get(run.id) ?? new OutsideTraffic(run.spec, this.#host.clock);
    this.#traffic.set(run.id, known);
    return known;
  }

  #forget(run: ReleaseRun): void {
    this.#switchovers.delete(run.id);
    this.#traffic.get(run.id)?.close();
    this.#traffic.delete(run.id);
  }

  #switchover(run: ReleaseRun, context: StageContext): Switchover {
    const known = this.#switchovers.get(run.id);
    if (known) return known;
    const made = this.#host.supervisor.switchover(this.#wish(run, run.id, context), run.view.requester);
    this.#switchovers.set(run.id, made);
    return made;
  }

  #wish(of: ReleaseRun, release: string, context: StageContext): SwitchoverWish {
    const [current, folder] = [`${of.spec.folder}/current`, folderOf(of)];
    return {
      release,
      specs: of.spec.services.map((spec) => settle(spec, current, folder)),
      askedBy: `release ${release}`,
      onProgress: (text) => context.say(text),
    };
  }

  /** Of each new instance by itself; all are asked, so that all that is wrong is told. */
  async #smoke(
    run: ReleaseRun,
    switchover: Switchover,
    context: StageContext,
  ): Promise<readonly ReleaseCheck[]> {
    const { spec } = run;
    context.say('smoke checks');
    const checks = await askSmoke({ smoke: spec.verify.smoke, stage: 'boot', switchover });
    context.note({ checks });
    const failed = checks.filter(({ verdict }) => verdict === 'failed');
    if (failed.length === 0) return checks;
    const facts = failed.map(({ text }) => text).join('; ');
    throw new UpkeepError(
      'not-verified',
      `Cannot let release ${run.id} of "${spec.name}" in: its smoke check failed: ${facts}`,
      {
        hint: `what served before serves on; the output of the new instances: upkeep logs ${spec.services[0]!.name}`,
      },
    );
  }

  #hooks(run: ReleaseRun, point: HookPoint, context: StageContext): Promise<StageResult> {
    if (run.spec.hooks[point].length === 0) return Promise.resolve({});
    return this.#host.work(run, `hooks ${point}`, context);
  }
}

function isWayBack({ view }: ReleaseRun): boolean {
  return view.kind === 'rollback';
}

function stableMs(run: ReleaseRun): number {
  return isWayBack(run) ? 0 : run.spec.verify.stableMs;
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

function folderOf({ id, view }: ReleaseRun): string {
  if (view.folder !== null) return view.folder;
  throw new UpkeepError('release-failed', `Cannot use release ${id}: it was never staged`, {
    hint: 'release it again',
  });
}

function countOf({ spec }: ReleaseRun): string {
  const count = spec.services.reduce((sum, { instances }) => sum + instances, 0);
  return count === 1 ? '1 new instance' : `${count} new instances`;
}
