/**
 * All switchovers of a daemon, by name: those that it was asked for, and those that a former daemon did not finish.
 *
 * What the next daemon finds of an operation that had not ended:
 *
 *   the state is the new one          it is finished: what has joined serves, what was to go goes
 *   new ones have joined, and live    they stay until it is asked for again, or for so long that nobody will
 *   anything else                     it has failed; new ones go, old ones are as they were
 */
import type { Failure, OperationView, Requester, ServiceSpec } from '../../protocol/index.js';
import type { FoundAttempt } from '../adoption.js';
import type { AcceptedLine, HoldRequest, Operation } from '../operation.js';
import type { Switchover, SwitchoverWish } from '../switchover.js';
import { GroupSwitchover, type SwitchoverHost } from './group.js';

type HoldLine = AcceptedLine & { readonly request: HoldRequest };

/** Who decides begins with the daemon, and asks at once. */
const UNASKED_MS = 60_000;

export class Switchovers {
  readonly #host: SwitchoverHost;
  readonly #known = new Map<string, GroupSwitchover>();
  /** Of a former daemon, by operation. */
  #found: readonly HoldLine[] = [];
  /** Those of them whose new instances stay. */
  readonly #kept = new Set<string>();
  readonly #timers = new Map<GroupSwitchover, NodeJS.Timeout>();

  constructor(host: SwitchoverHost) {
    this.#host = host;
  }

  /** The same name is the same switchover, unless that came to nothing. */
  get(wish: SwitchoverWish, requester: Requester): Switchover {
    const known = this.#known.get(wish.release);
    if (known && known.phase !== 'reverting' && known.phase !== 'reverted') {
      clearTimeout(this.#timers.get(known));
      known.claim(wish);
      return known;
    }
    const committed = known ? undefined : this.#findCommitted(wish.release);
    const former = committed && ({ id: committed.id, phase: 'committed' } as const);
    const made = new GroupSwitchover(wish, requester, this.#host, former);
    this.#known.set(wish.release, made);
    return made;
  }

  /** Its turn has come; resolves when it has ended. */
  async hold(operation: Operation): Promise<void> {
    const { request } = operation;
    if (request.kind !== 'release') return;
    if (!operation.isResumed) return this.#known.get(request.release)!.hold(operation);
    if (this.#isCommitted(operation.id)) return this.#finish(operation);
    if (this.#kept.has(operation.id)) return this.#resume(operation, request);
    return this.#fail(operation);
  }

  // ── of a former daemon ────────────────────────────────────────────────────────────────────────────────────────────

  /** What it had accepted and not ended. */
  load(lines: readonly AcceptedLine[]): void {
    this.#found = lines.filter((line): line is HoldLine => line.request.kind === 'release');
  }

  /** See `assignRoles`. */
  leaving(service: string, instance: number): number | undefined {
    const hold = this.#host.services.get(service)?.hold;
    // Its operation may have ended before they had.
    return hold?.is === 'committed' ? (hold.leaving[instance] ?? 0) : undefined;
  }

  /** What the new instances of a service are instances of. */
  specOf(service: string): ServiceSpec | undefined {
    return this.#lineOf(service)?.request.services.find(({ name }) => name === service);
  }

  /** Decides, from all that was found, which new instances stay. */
  keep(found: readonly FoundAttempt[]): void {
    for (const { role, isOver, service } of found) {
      const line = role === 'joined' && !isOver ? this.#lineOf(service) : undefined;
      if (line) this.#kept.add(line.view.id);
    }
  }

  isKept(service: string): boolean {
    const line = this.#lineOf(service);
    return line !== undefined && this.#kept.has(line.view.id);
  }

  /** The daemon goes. */
  detach(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const each of this.#known.values()) each.detach();
  }

  #lineOf(service: string): HoldLine | undefined {
    // Nobody else had its services meanwhile, so only the first may have begun.
    return this.#found.find(({ request }) => request.services.some(({ name }) => name === service));
  }

  /** Services that were created are removed: by the file, nothing of it was ever there. */
  async #fail(operation: Operation): Promise<void> {
    const book = this.#host.book();
    for (const step of operation.steps) {
      book.beginStep(operation, step);
      const service = this.#host.services.get(step.service);
      if (service?.hold?.is !== 'created' || service.hold.operation !== operation.id) continue;
      await service.until(() => service.all.every(({ isAtRest }) => isAtRest));
      this.#host.remove(service);
    }
    await this.#host.save().catch(() => undefined); // what was created is known as such, and stopped
    const [first, ...rest] = operation.steps;
    if (first) book.endStep(operation, first, 'failed', interrupted(operation));
    for (const step of rest) book.endStep(operation, step, 'skipped');
  }

  /** Also where the rest of it is being done. */
  #findCommitted(release: string): OperationView | undefined {
    const last = this.#host
      .book()
      .list(Infinity)
      .find((view) => view.release === release);
    return last && (last.status === 'succeeded' || this.#isCommitted(last.id)) ? last : undefined;
  }

  #isCommitted(operation: string): boolean {
    return [...this.#host.services.values()].some(
      ({ hold }) => hold?.is === 'committed' && hold.operation === operation,
    );
  }

  /** Roles were given when its instances were found, and what is missing was started before its turn. */
  #finish(operation: Operation): void {
    const book = this.#host.book();
    for (const step of operation.steps) {
      book.beginStep(operation, step);
      book.endStep(operation, step, 'done');
    }
  }

  #resume(
    operation: Operation,
    { release, services: specs, onlyWanted = false }: HoldRequest,
  ): Promise<void> {
    const askedBy = `operation ${operation.id} (release)`;
    const wish = { release, specs, onlyWanted, askedBy, onProgress: () => undefined };
    const former = { id: operation.id, phase: 'queued' } as const;
    const resumed =
      this.#known.get(release) ?? new GroupSwitchover(wish, operation.view.requester, this.#host, former);
    this.#known.set(release, resumed);
    const held = resumed.hold(operation);
    resumed.restore();
    const giveUp = (): void => this.#giveUp(resumed);
    this.#timers.set(resumed, setTimeout(giveUp, this.#host.unaskedMs ?? UNASKED_MS).unref());
    return held;
  }

  #giveUp(unasked: GroupSwitchover): void {
    const { message } = unaskedFor(unasked.release);
    this.#host.warn(null, `${message}: the old instances go on serving alone`);
    unasked.revert(unaskedFor(unasked.release)).catch(this.#host.onInternalError);
  }
}

function interrupted({ request }: Operation): Failure {
  const name = request.kind === 'release' ? request.release : '';
  return {
    code: 'interrupted',
    message: `Cannot finish switching for release "${name}": the daemon ended before its new instances had joined`,
    hint: 'the old instances go on serving',
  };
}

function unaskedFor(release: string): Failure {
  return {
    code: 'interrupted',
    message: `Cannot finish switching for release "${release}": the daemon ended, and nobody asked the next one to go on`,
  };
}
