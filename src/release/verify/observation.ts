/** Turns what is seen of both sides, counters that only grow, into looks: what came since the look before. */
import type { InstanceLook, Look, NewErrorKind, ServiceLook, SideLook } from '../../core/index.js';
import { add, quantile, since } from '../../metrics/index.js';
import type { SideView } from '../../supervisor/index.js';

type Counts = NonNullable<SideView['counts']>;

const NOTHING: Counts = { requests: 0, errors: 0, unanswered: 0, durationMs: 0, latency: [] };

export class Observation {
  /** By service, instance and attempt; null: it was there at the first look, and has counted nothing yet. */
  readonly #counted = new Map<string, Counts | null>();
  /** New instances by service: one that is not shown any more has ended as well. */
  readonly #young = new Map<string, Map<string, InstanceLook>>();
  readonly #seesEnds: boolean;
  #begunAt: number | undefined;

  /** `seesEnds`: whether an end is always a fault, as where nobody else may stop or scale what is seen. @default true */
  constructor({ seesEnds = true }: { readonly seesEnds?: boolean } = {}) {
    this.#seesEnds = seesEnds;
  }

  /** `now`: monotonic. */
  look(views: readonly SideView[], kinds: ReadonlyMap<string, readonly NewErrorKind[]>, now: number): Look {
    const isFirst = this.#begunAt === undefined;
    this.#begunAt ??= now;
    const services: Record<string, ServiceLook> = {};
    for (const service of new Set([...views.map((view) => view.service), ...this.#young.keys()])) {
      const [old, young] = (['old', 'new'] as const).map((side) => {
        const seen = views.filter((view) => view.service === service && view.side === side);
        return this.#sideOf(seen, isFirst);
      });
      const instances = this.#withGone(service, young!.instances);
      services[service] = { old: old!, new: { ...young!, instances }, kinds: kinds.get(service) ?? [] };
    }
    return { atMs: now - this.#begunAt, services };
  }

  #sideOf(views: readonly SideView[], isFirst: boolean): SideLook {
    const news = views.flatMap((view) => this.#newsOf(view, isFirst) ?? []);
    const latency = news.reduce<readonly number[]>((sum, counts) => add(sum, counts.latency), []);
    return {
      requests: news.length === 0 ? null : news.reduce((sum, { requests }) => sum + requests, 0),
      errors: news.reduce((sum, { errors }) => sum + errors, 0),
      unanswered: views.reduce((sum, { counts }) => sum + (counts?.unanswered ?? 0), 0),
      medianMs: quantile(latency, 0.5),
      instances: views.map(({ instance, rssBytes, restarts, ended }) => ({
        name: String(instance),
        rssBytes,
        restarts: this.#seesEnds ? restarts : 0,
        ended: this.#seesEnds ? ended : null,
      })),
    };
  }

  /** What an attempt has counted since it was last seen; undefined: it does not count. */
  #newsOf({ service, instance, attempt, counts }: SideView, isFirst: boolean): Counts | undefined {
    const key = `${service} ${instance} ${attempt}`;
    const isKnown = this.#counted.has(key);
    const before = this.#counted.get(key);
    if (!counts) {
      // It may not have answered this time: what it has counted is not forgotten.
      if (!isKnown) this.#counted.set(key, isFirst ? null : NOTHING);
      return undefined;
    }
    this.#counted.set(key, counts);
    // What it did before anybody looked is not compared; an attempt that begins while somebody looks counts from nothing.
    if (isFirst || before === null) return NOTHING;
    return difference(counts, before ?? NOTHING);
  }

  #withGone(service: string, shown: readonly InstanceLook[]): readonly InstanceLook[] {
    if (!this.#seesEnds) return shown;
    const known = this.#young.get(service) ?? new Map<string, InstanceLook>();
    this.#young.set(service, known);
    for (const instance of shown) known.set(instance.name, instance);
    const names = new Set(shown.map(({ name }) => name));
    const gone = [...known.values()].filter(({ name }) => !names.has(name));
    return [...shown, ...gone.map((one) => ({ ...one, rssBytes: null, ended: one.ended ?? 'it is gone' }))];
  }
}

/** One of several processes that began anew takes its counts away: what the others did in that second is not known. */
function difference(now: Counts, before: Counts): Counts {
  if (now.requests < before.requests || now.errors < before.errors) return NOTHING;
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    unanswered: now.unanswered,
    durationMs: now.durationMs - before.durationMs,
    latency: since(now.latency, before.latency),
  };
}
