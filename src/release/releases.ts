/**
 * The book of releases: accepts what is asked for, one release of a group at a time, tells how each gets on, remembers what came
 * out. Who asked may die at any time, also because the release replaces it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSwitching, mayAbort, WAITING } from '../core/index.js';
import {
  UpkeepError,
  type ReleaseGroupView,
  type ReleaseRequest,
  type ReleaseSpec,
  type ReleaseStage,
  type ReleaseView,
  type Requester,
  type ServiceSpec,
  type RollbackRequest,
  type WaivedCheck,
} from '../protocol/index.js';
import type { Journal } from '../store/index.js';
import { lastIn, readCurrent } from './folder/index.js';
import { isSameDescription, withoutShell } from './description.js';
import { Followers } from './followers.js';
import { beforeOf, currentOf, forgettable, hasServedWell, placeOf, wayBackOf } from './history.js';
import type { KeptRelease, PreviousRelease } from './job.js';
import { readReleases, type ReleaseLine } from './journal.js';
import { clearLock, readLock, takeLock, type HeldLock } from './lock.js';
import { settle } from './settle.js';
import { newView } from './new-view.js';
import { beingSwitched, busy, notToBeLeft, unknownGroup } from './refusals.js';
import { ReleaseRun, type ReleaseRunHost } from './release-run.js';
import { WaiverLog } from './waiver-log.js';

/** From then on it is what serves, or about to be. */
const SERVES: readonly ReleaseStage[] = ['commit', 'bake', 'finish'];

export interface ReleasesOptions extends Pick<ReleaseRunHost, 'perform' | 'revert' | 'onInternalError'> {
  readonly home: string;
  readonly journal: Journal;
  readonly wall: () => Date;
  /** Names of those that the home knows of, also where its book of releases was lost. */
  readonly switchovers: () => readonly string[];
  /** It began, came to another stage, or ended. */
  readonly onChange: (view: ReleaseView) => void;
  /** The daemon goes, and nothing is being done any more. */
  readonly onClose?: () => void;
}

export class Releases {
  readonly #options: ReleasesOptions;
  readonly #runs = new Map<string, ReleaseRun>();
  readonly #specs = new Map<string, ReleaseSpec>();
  readonly #locks = new Map<string, HeldLock>();
  readonly #followers = new Followers();
  readonly #waivers: WaiverLog;
  #lastId = 0;

  constructor(options: ReleasesOptions) {
    this.#options = options;
    this.#waivers = new WaiverLog(join(options.home, 'waivers.jsonl'));
  }

  /** Reads what former daemons did, and goes on with what they did not end. */
  begin(): void {
    const { specs, releases } = readReleases(this.#options.journal, () => this.#summarize());
    for (const [group, spec] of specs) this.#specs.set(group, spec);
    // By the name of one that was committed nothing is switched again.
    const named = this.#options.switchovers().map((name) => Number.parseInt(name, 10) || 0);
    this.#lastId = Math.max(0, ...named);
    for (const [id, line] of releases) {
      this.#lastId = Math.max(this.#lastId, Number(id));
      const run = new ReleaseRun(line, this.#host());
      this.#runs.set(id, run);
      if (run.hasEnded) run.ended.resolve();
      else this.#noteWaivers(run);
    }
    const open = this.#open();
    for (const run of open) this.#start(run);
    for (const { folder } of this.#specs.values())
      if (open.every(({ spec }) => spec.folder !== folder)) clearLock(folder, this.#options.home);
  }

  /** The daemon goes; what has begun is gone on with by the next one. */
  async close(): Promise<void> {
    await Promise.all(this.#open().map((run) => run.letGo()));
    this.#options.onClose?.();
    await this.#options.journal.close();
  }

  async request(request: ReleaseRequest, requester: Requester): Promise<ReleaseView> {
    const spec = request.spec ?? this.#find(request.group);
    if (!spec) throw unknownGroup(request.group, this.#specs.keys());
    request = { ...request, group: spec.name };
    const same = this.#joinable(request, spec);
    if (same) return this.#join(same, requester);
    return this.#accept(
      request,
      spec,
      newView(request, request.plan ? 'plan' : 'release', requester),
      requester,
    );
  }

  async rollback({ group, to }: RollbackRequest, requester: Requester): Promise<ReleaseView> {
    const known = this.#find(group);
    if (!known) throw unknownGroup(group, this.#specs.keys());
    // Asked while one goes on, it means what was meant before that one.
    const other = this.#open().find(({ view }) => view.group === known.name && view.restores !== null);
    const wanted = this.#findKept(known.name, to, other);
    if (other?.view.restores === String(placeOf(wanted))) return this.#join(other, requester);
    const request: ReleaseRequest = { group: known.name, target: {}, waive: [], plan: false, force: true };
    const view = newView(request, 'rollback', requester);
    const { build, folder, target } = this.#atHand(wanted).view;
    Object.assign(view, { build, folder, target, restores: String(placeOf(wanted)) });
    view.notes.push(`back to release ${wanted.id}`);
    return this.#accept(request, wanted.spec, view, requester, wanted.artifact);
  }

  abort(id: string, requester: Requester): ReleaseView {
    const run = this.#require(id);
    if (run.hasEnded) {
      throw new UpkeepError('not-running', `Cannot abort release ${id}: it has ${run.view.status} already`, {
        hint:
          run.view.status === 'succeeded'
            ? `go back with: upkeep rollback ${run.view.group}`
            : 'see what serves: upkeep release list',
      });
    }
    if (run.view.abortedBy === null && !mayAbort(run.state)) throw notToBeLeft(run.view);
    run.view.abortedBy ??= requester;
    run.abort();
    return run.view;
  }

  find(id: string): ReleaseView {
    return this.#require(id).view;
  }

  /** Groups in the order of their names; of each so many releases, newest first. */
  groups(limit: number): ReleaseGroupView[] {
    return [...this.#specs.values()]
      .sort((a, b) => a.name.localeCompare(b.name))
      .map((spec) => {
        const lock = readLock(spec.folder);
        return {
          group: spec.name,
          folder: spec.folder,
          services: spec.services.map(({ name }) => name),
          current: this.current(spec.name)?.id ?? null,
          lock: lock ? { owner: lock.owner, reason: lock.reason, since: lock.since } : null,
          releases: this.#of(spec.name)
            .slice(0, limit)
            .map(({ view }) => view),
        };
      });
  }

  /** What was let through although it had failed, newest first; of all groups, or one. */
  waived(limit: number, group?: string): WaivedCheck[] {
    return this.#waivers.list(limit, group);
  }

  /** Calls with the present state and after each change; answers how to end that. */
  follow(id: string, listener: (view: ReleaseView) => void): () => void {
    const end = this.#followers.add(id, listener);
    listener(this.find(id));
    return end;
  }

  async untilEnded(id: string): Promise<ReleaseView> {
    const run = this.#require(id);
    await run.ended.promise;
    return run.view;
  }

  /** The release that serves. */
  current(group: string): ReleaseRun | undefined {
    return currentOf(this.#of(group));
  }

  /**
   * Descriptions as they hold for the releases that serve: what lies in `current` lies in the folder that it leads to. Throws
   * `release-not-found` where nothing was released yet, and `release-locked` while a release is switched.
   */
  settle(specs: readonly ServiceSpec[], { isLenient = false } = {}): ServiceSpec[] {
    return specs.map((spec) => {
      if (!spec.release) return spec;
      const { group, folder } = spec.release;
      // Accepted now it would be done after the release, and take its services back.
      const other = this.#open().find((run) => run.view.group === group && isSwitching(run.state));
      if (other && !isLenient) throw beingSwitched(spec.name, other.view);
      const release = this.current(group)?.view.folder ?? readCurrent(folder);
      if (release !== null) return settle(spec, `${folder}/current`, release);
      if (isLenient) return spec;
      throw new UpkeepError(
        'release-not-found',
        `Cannot start "${spec.name}": no release of "${group}" is there yet`,
        {
          hint: `make one: upkeep release ${group}`,
        },
      );
    });
  }

  /** What served before this one. */
  before(run: ReleaseRun): ReleaseRun | undefined {
    return beforeOf(this.#of(run.view.group), run);
  }

  previousOf(run: ReleaseRun): PreviousRelease | null {
    const { folder, build, id } = this.before(run)?.view ?? {};
    if (!folder || id === undefined) return null;
    return { id, folder, version: build?.version ?? null, commit: build?.commit ?? null };
  }

  /** Kinds of errors that a release of its group was not good for, until one is that has them as well. */
  refusedKinds(run: ReleaseRun): ReadonlySet<string> {
    const refused = new Set<string>();
    const before = this.#of(run.view.group).filter((each) => each !== run && each.hasEnded);
    for (const { view } of before.reverse())
      for (const { kind, verdict } of view.checks) {
        if (kind === undefined) continue;
        if (verdict === 'failed') refused.add(kind);
        else if (view.status === 'succeeded') refused.delete(kind);
      }
    return refused;
  }

  /** Checksums of the builds that stay in the store: of each group what serves, what is being made, and as many good ones as it keeps. */
  get builds(): string[] {
    const kept = [...this.#specs.values()].flatMap(({ name, keep }) => {
      const useful = this.#of(name).filter((run) => !run.hasEnded || hasServedWell(run));
      return [...useful.slice(0, keep + 2), this.current(name), wayBackOf(this.#of(name))];
    });
    return [...new Set(kept.flatMap((run) => run?.view.build?.sha256 ?? []))];
  }

  run(id: string): ReleaseRun | undefined {
    return this.#runs.get(id);
  }

  kept(group: string): KeptReleaseRun[] {
    const runs = this.#of(group);
    const [current, wayBack] = [currentOf(runs), wayBackOf(runs)];
    return runs.flatMap((run) => {
      const { folder, status, id } = run.view;
      if (folder === null) return [];
      const isCurrent = run === current;
      const hasFailed = !isCurrent && status !== 'succeeded' && status !== 'running';
      return [{ run, id, folder, isCurrent, hasFailed, isWayBack: run === wayBack }];
    });
  }

  async #join(run: ReleaseRun, requester: Requester): Promise<ReleaseView> {
    run.view.joined.push(requester);
    await this.#write(run).catch(this.#options.onInternalError);
    return run.view;
  }

  async #accept(
    request: ReleaseRequest,
    spec: ReleaseSpec,
    view: ReleaseView,
    requester: Requester,
    artifact: string | null = null,
  ): Promise<ReleaseView> {
    const { wall } = this.#options;
    const other = this.#open().find(
      (run) =>
        run.view.group === request.group || sharesService(run.spec, spec) || run.spec.folder === spec.folder,
    );
    if (other) throw busy(view.kind, request.group, other.view);
    this.#lastId = Math.max(this.#lastId, lastIn(spec.folder)) + 1;
    const id = String(this.#lastId);
    const services = spec.services.map(({ name }) => name);
    const accepted: ReleaseView = { ...view, id, services, acceptedAt: wall().toISOString() };
    const run = new ReleaseRun(
      { type: 'accepted', request, spec, view: accepted, artifact, choice: null, state: WAITING },
      this.#host(),
    );
    this.#lock(run, requester);
    this.#runs.set(id, run);
    this.#forgetOld(request.group, spec.keep);
    try {
      await this.#options.journal.append(run.line);
    } catch (cause) {
      this.#runs.delete(id);
      this.#unlock(run);
      throw new UpkeepError(
        'internal',
        `Cannot accept the release of "${request.group}": ${(cause as Error).message}`,
        {
          hint: 'nothing was done; see whether the disk of the home of upkeep is full or cannot be written',
          cause,
        },
      );
    }
    if (request.spec) this.#specs.set(spec.name, spec);
    run.begin();
    return accepted;
  }

  #start(run: ReleaseRun): void {
    try {
      this.#lockAgain(run);
    } catch (error) {
      // Somebody else took it while there was no daemon: whatever is half done here is put back without the folder.
      run.view.notes.push((error as Error).message);
      run.abort();
    }
    run.begin();
  }

  /**
   * After a former daemon. A lock that cannot be written is nobody's: what is half done is brought to its end without; so is, whoever has
   * it, what serves already.
   */
  #lockAgain(run: ReleaseRun, stage?: ReleaseStage): void {
    try {
      this.#lock(run, run.view.requester);
    } catch (error) {
      const { code, message } = error as UpkeepError;
      if (code === 'release-locked' && !(stage && SERVES.includes(stage))) throw error;
      const note = `${message}; it goes on, and tries again at each stage`;
      run.view.notes = [...new Set([...run.view.notes, note])];
    }
  }

  #lock(run: ReleaseRun, { service, instance, command }: Requester): void {
    const who = service === null ? (command ?? 'somebody') : `${service}.${instance}`;
    const held = takeLock({
      folder: run.spec.folder,
      home: this.#options.home,
      owner: `release ${run.id} of "${run.view.group}"`,
      reason: `${run.view.kind}, asked for by ${who}`,
      now: this.#options.wall(),
    });
    if (held.note !== undefined) run.view.notes.push(held.note);
    this.#locks.set(run.id, held);
  }

  #unlock(run: ReleaseRun): void {
    this.#locks.get(run.id)?.release();
    this.#locks.delete(run.id);
  }

  #host(): ReleaseRunHost {
    const { perform, revert, onInternalError, wall, onChange } = this.#options;
    return {
      perform: (run, stage, context) => {
        const held = this.#locks.get(run.id);
        if (held) held.validate();
        else this.#lockAgain(run, stage);
        return perform(run, stage, context);
      },
      revert,
      onInternalError,
      now: () => wall().toISOString(),
      write: (run) => this.#write(run),
      onChange: (run) => {
        this.#followers.tell(run.view);
        onChange(run.view);
      },
      onEnd: (run) => {
        this.#unlock(run);
        this.#followers.tell(run.view);
        onChange(run.view);
      },
    };
  }

  /** Resolves when what is known of it by now is on disk, in the middle of a stage. */
  save(run: ReleaseRun): Promise<void> {
    return this.#write(run);
  }

  #write(run: ReleaseRun): Promise<void> {
    const { view, state, artifact, choice } = run;
    this.#noteWaivers(run);
    return this.#options.journal.append({
      type: 'step',
      view,
      state,
      artifact,
      choice,
    } satisfies ReleaseLine);
  }

  /** A full disk holds no release up; it is noted at its next step. */
  #noteWaivers({ view }: ReleaseRun): void {
    try {
      this.#waivers.note(view);
    } catch (error) {
      this.#options.onInternalError(error);
    }
  }

  /** What the journal has to hold at this moment: the last description of a group is the one that holds. */
  #summarize(): ReleaseLine[] {
    return [
      ...[...this.#runs.values()].map((run) => run.line),
      ...[...this.#specs.values()].map((spec): ReleaseLine => ({ type: 'group', spec })),
    ];
  }

  /** Newest first. */
  #of(group: string): ReleaseRun[] {
    return [...this.#runs.values()].filter(({ view }) => view.group === group).reverse();
  }

  #open(): ReleaseRun[] {
    return [...this.#runs.values()].filter((run) => !run.hasEnded);
  }

  /** The same wish is granted once. */
  #joinable(request: ReleaseRequest, spec: ReleaseSpec): ReleaseRun | undefined {
    const key = keyOf(request, spec);
    return this.#open().find((run) => run.view.kind !== 'rollback' && keyOf(run.request, run.spec) === key);
  }

  /** `without`: as it was before that one. */
  #findKept(group: string, to: string | undefined, without: ReleaseRun | undefined): ReleaseRun {
    const runs = this.#of(group).filter((run) => run !== without);
    const current = currentOf(runs);
    const good = runs.filter((run) => run !== current && hasServedWell(run));
    const wanted =
      to === undefined
        ? wayBackOf(runs)
        : good.concat(current ?? []).find(({ id, view }) => id === to || view.build?.version === to);
    if (wanted) return wanted;
    const known = good.map(
      ({ id, view }) => `${id} (${view.build?.version ?? view.build?.commit?.slice(0, 7) ?? '?'})`,
    );
    const fact =
      to === undefined
        ? 'none that has served well was before the one that serves'
        : `release ${to} is not one that has served well`;
    throw new UpkeepError('release-not-found', `Cannot roll "${group}" back: ${fact}`, {
      hint:
        known.length === 0
          ? 'release a build that is good: upkeep release'
          : `known, for --to: ${known.slice(0, 8).join(', ')}`,
    });
  }

  /** Of those that are alike, one whose folder is there: nothing has to be unpacked and installed. */
  #atHand(wanted: ReleaseRun): ReleaseRun {
    const alike = this.#of(wanted.view.group).filter((run) => hasServedWell(run) && isAlike(run, wanted));
    return [wanted, ...alike].find(({ view }) => existsSync(view.folder!)) ?? wanted;
  }

  /** By its name, or that of one of its services. */
  #find(name: string): ReleaseSpec | undefined {
    const specs = [...this.#specs.values()];
    return (
      this.#specs.get(name) ?? specs.find(({ services }) => services.some((service) => service.name === name))
    );
  }

  #require(id: string): ReleaseRun {
    const run = this.#runs.get(id);
    if (run) return run;
    throw new UpkeepError(
      'release-not-found',
      `Cannot show release "${id}": there is none with this number`,
      {
        hint: 'see what there is: upkeep release list',
      },
    );
  }

  #forgetOld(group: string, keep: number): void {
    for (const { id } of forgettable(this.#of(group), keep)) this.#runs.delete(id);
  }
}

export interface KeptReleaseRun extends KeptRelease {
  readonly run: ReleaseRun;
}

/** The same build by the same description. */
function isAlike(one: ReleaseRun, other: ReleaseRun): boolean {
  return one.view.build?.sha256 === other.view.build?.sha256 && isSameDescription(one.spec, other.spec);
}

function keyOf({ group, target, waive, plan, planHash, force }: ReleaseRequest, spec: ReleaseSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([group, target, waive, plan, planHash ?? null, force, withoutShell(spec)]))
    .digest('hex');
}

function sharesService(one: ReleaseSpec, other: ReleaseSpec): boolean {
  const names = new Set(one.services.map(({ name }) => name));
  return other.services.some(({ name }) => names.has(name));
}
