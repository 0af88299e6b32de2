/**
 * HAProxy by its runtime sockets: drained, put into maintenance, let in again with a weight, without a reload. There may be
 * several (one on each host): it is taken out at all of them, or at none where one does not agree; and let in by each that can be told,
 * whatever is the matter with another one.
 *
 * ```
 *   ready ──drain──▶ drain ──no sessions, or drainMs──▶ maint ──(the release)──▶ weight, ready ──UP──▶ in
 *                      └─────────── kept so: a reload of HAProxy forgets what was set ───────────┴──▶ kept, too
 * ```
 */
import { UpkeepError, type TrafficSpec } from '../../protocol/index.js';
import { Backend, parseServerName } from './backend.js';
import { formatDuration } from '../../util/index.js';
import { Keeper, type ToKeep } from './keeper.js';
import { RuntimeSocket } from './runtime-socket.js';
import { isChecked, isServing, type ServerView } from './server-view.js';
import type { Traffic, TrafficOptions, TrafficLook } from './traffic.js';
import { cannot, LAST_SERVER, throwFailures, type ServerName } from './words.js';
import { isByHand, weightFor, wordWeight, type Weight } from './weight.js';
import { waitUntil } from '../wait.js';

type HaproxySpec = Extract<TrafficSpec, { type: 'haproxy' }>;

const LOOK_MS = 50;
/** Health checks may take their time to find it. */
const UP_MS = 30_000;

export class HaproxyTraffic implements Traffic {
  readonly #spec: HaproxySpec;
  readonly #options: TrafficOptions;
  readonly #sockets: readonly RuntimeSocket[];
  readonly #keeper: Keeper;
  /** By service and socket: with weights that somebody has set by hand. */
  readonly #usual = new Map<string, ServerView>();

  constructor(spec: HaproxySpec, options: TrafficOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#sockets = spec.sockets.map((name) => new RuntimeSocket(name, options.clock));
    this.#keeper = new Keeper(options);
  }

  async out(service: string, signal: AbortSignal): Promise<void> {
    const places = this.#places(service, 'take', signal);
    await this.#keeper.end(service);
    await this.#drain(places, service);
    this.#keeper.begin(service, keepAll(places, 'drain'));
    try {
      await this.#untilQuiet(places, signal);
    } finally {
      // Also where it is given up: whoever asked decides what comes next, and nobody is in the way.
      await this.#keeper.end(service);
    }
    await all(places, (place) => place.set('state maint'));
    this.#keeper.begin(service, keepAll(places, 'maint'));
  }

  async in(service: string, share: number, signal: AbortSignal): Promise<void> {
    const places = this.#places(service, 'let', signal);
    const weighed = places.map(async (place) => {
      this.#noteUsual(service, place, await place.view());
      await place.set(`weight ${this.#weight(service, place, share)}`);
      return place.view();
    });
    await this.#refuseNoWeight(service, places, await Promise.allSettled(weighed), share);
    await this.#keeper.end(service);
    const told = places.map(async (place, at) => {
      await weighed[at];
      const worker = await place.worker();
      await place.set('state ready');
      return worker;
    });
    const workers = await Promise.allSettled(told);
    const weights = places.map((place) => this.#weight(service, place, share));
    const kept = places.map((place, at): ToKeep => {
      return { place, wish: { mode: 'ready', weight: weights[at]! }, worker: valueOf(workers[at]!) };
    });
    this.#keeper.begin(service, kept);
    const up = places.map(async (place, at) => {
      await told[at]!.catch((error: unknown) => {
        throw withWayIn(error, place);
      });
      await this.#untilUp(place, signal);
    });
    throwFailures(await Promise.allSettled(up));
    const { server } = places[0]!;
    this.#options.onProgress(`${server.backend}/${server.name} is in, with ${wordWeight(weights[0]!)}`);
  }

  async look(service: string, share: number, signal: AbortSignal): Promise<TrafficLook> {
    const places = this.#places(service, 'look at', signal);
    await all(places, (place) => place.refuseUnlessAdmin());
    const backends = await all(places, (place) => place.servers());
    const views = backends.map((servers, at) => own(servers, places[at]!.server));
    refuseLight(places, views, share, (view) => Math.floor((view.initialWeight * share) / 100));
    const isOut = new Set(views.map(({ mode }) => mode !== 'ready'));
    return {
      isOut: isOut.size === 1 ? views[0]!.mode !== 'ready' : null,
      out: outAlready(places, views),
      last: this.#lastOf(places, backends),
      places: views.map(
        ({ status, mode, weight, sessions }, at) =>
          `${places[at]!.socket.name}: ${status}, ${mode}, weight ${weight}, ${sessionsOf(sessions)}`,
      ),
    };
  }

  leave(): void {
    this.#keeper.leave();
  }

  owes(service: string): boolean {
    return this.#keeper.owes(service);
  }

  close(): void {
    this.#keeper.close();
  }

  #places(service: string, verb: string, signal: AbortSignal): readonly Backend[] {
    const text = this.#spec.servers[service];
    const server: ServerName = parseServerName(service, text);
    return this.#sockets.map((socket) => new Backend({ socket, server, verb, signal }));
  }

  /** Two hosts may begin at the same moment: each looks again at what is left when its own server is out, and steps back. */
  async #drain(places: readonly Backend[], service: string): Promise<void> {
    const before = await all(places, (place) => place.servers());
    this.#refuseLast(places, before);
    const { server } = places[0]!;
    for (const [at, place] of places.entries()) this.#noteUsual(service, place, own(before[at]!, server));
    this.#options.onProgress(`${server.backend}/${server.name} is drained`);
    const wasReady = before.map((servers) => own(servers, server).mode === 'ready');
    const ready = places.filter((_, at) => wasReady[at]);
    try {
      await all(ready, (place) => place.set('state drain'));
    } catch (error) {
      await Promise.allSettled(ready.map((place) => place.set('state ready')));
      throw error;
    }
    if (this.#spec.allowLast) return;
    const after = await all(places, (place) => place.servers());
    const isAlone = after.some((servers, at) => wasReady[at] && othersServing(servers, server).length === 0);
    if (!isAlone) return;
    await all(ready, (place) => place.set('state ready'));
    this.#refuseLast(places, after, wasReady);
  }

  #refuseLast(
    places: readonly Backend[],
    views: readonly (readonly ServerView[])[],
    wasReady: readonly boolean[] = [],
  ): void {
    const last = this.#lastOf(places, views, wasReady);
    if (last) throw last;
  }

  /** null: others serve, or it is allowed. */
  #lastOf(
    places: readonly Backend[],
    views: readonly (readonly ServerView[])[],
    wasReady: readonly boolean[] = [],
  ): UpkeepError | null {
    if (this.#spec.allowLast) return null;
    for (const [at, servers] of views.entries()) {
      const { server, socket } = places[at]!;
      // What is out already, where a daemon was killed, takes nothing from anybody.
      if (!wasReady[at] && own(servers, server).mode !== 'ready') continue;
      if (othersServing(servers, server).length > 0) continue;
      const others = servers.filter(({ name }) => name !== server.name);
      const told = others.map(
        ({ name, status, weight }) => `${name} is ${status}${weight > 0 ? '' : ', weight 0'}`,
      );
      const fact = `${socket.name} has no other server up in ${server.backend} (${told.join(', ') || 'there is none'})`;
      const hint = `bring another server of ${server.backend} up, or set traffic.haproxy.allowLast: true`;
      return cannot(places[at]!, fact, { hint, code: 'release-refused', details: LAST_SERVER });
    }
    return null;
  }

  async #untilQuiet(places: readonly Backend[], signal: AbortSignal): Promise<void> {
    const { clock, onProgress } = this.#options;
    const deadline = clock.now() + this.#spec.drainMs;
    for (;;) {
      const views = await all(places, (place) => place.view());
      const sessions = views.reduce((sum, view) => sum + view.sessions, 0);
      if (sessions === 0 && views.every(({ mode }) => mode !== 'ready')) return;
      if (clock.now() >= deadline) {
        const { server } = places[0]!;
        const after = formatDuration(this.#spec.drainMs);
        return onProgress(
          `${server.backend}/${server.name} still has ${sessionsOf(sessions)} after ${after}; going on`,
        );
      }
      await waitUntil(clock, clock.now() + LOOK_MS, signal);
    }
  }

  #noteUsual(service: string, { socket }: Backend, view: ServerView): void {
    const key = `${service} ${socket.name}`;
    if (isByHand(view, this.#spec.canaryWeight) && !this.#usual.has(key)) this.#usual.set(key, view);
  }

  #weight(service: string, { socket }: Backend, share: number): Weight {
    return weightFor(share, this.#usual.get(`${service} ${socket.name}`));
  }

  async #refuseNoWeight(
    service: string,
    places: readonly Backend[],
    weighed: readonly PromiseSettledResult<ServerView>[],
    share: number,
  ): Promise<void> {
    const answered = places.filter((_, at) => weighed[at]!.status === 'fulfilled');
    const views = weighed.flatMap((each) => valueOf(each) ?? []);
    try {
      refuseLight(answered, views, share, ({ userWeight }) => userWeight);
    } catch (error) {
      await all(answered, (place) => place.set(`weight ${this.#weight(service, place, 100)}`));
      throw error;
    }
  }

  async #untilUp(place: Backend, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + UP_MS;
    for (;;) {
      const view = await place.view();
      if (isServing(view) && isChecked(view)) return;
      if (clock.now() >= deadline) {
        const { status, mode, weight } = view;
        const fact = `${place.socket.name} says ${status} (${mode}, weight ${weight}) after ${formatDuration(UP_MS)}`;
        throw cannot(place, fact, {
          hint: 'see what its health check asks, and what the service answers to it',
        });
      }
      await waitUntil(clock, clock.now() + LOOK_MS, signal);
    }
  }
}

function keepAll(places: readonly Backend[], mode: 'drain' | 'maint'): ToKeep[] {
  return places.map((place) => ({ place, wish: { mode } }));
}

/** By hand, or by a release that could not let it in again: whoever did it should know that this one would. */
function outAlready(places: readonly Backend[], views: readonly ServerView[]): UpkeepError | null {
  const at = views.findIndex(({ mode, userWeight }) => mode !== 'ready' || userWeight === 0);
  if (at < 0) return null;
  const { socket, server, letInByHand, weighByHand } = places[at]!;
  const { mode } = views[at]!;
  const [how, byHand] = mode === 'ready' ? ['with a weight of 0', weighByHand] : [`in ${mode}`, letInByHand];
  const fact = `${socket.name} has it ${how} already, and a release would let it in`;
  return cannot({ server, verb: 'take' }, fact, { hint: `let it in: ${byHand}` });
}

function valueOf<T>(settled: PromiseSettledResult<T>): T | undefined {
  return settled.status === 'fulfilled' ? settled.value : undefined;
}

/** It stays out where it was not told. */
function withWayIn(error: unknown, { letInByHand }: Backend): unknown {
  if (!(error instanceof UpkeepError)) return error;
  const { code, message, hint, details } = error;
  const steps = `${hint ?? 'see what it answers'}; it is let in as soon as that is possible, or by hand: ${letInByHand}`;
  return new UpkeepError(code, message, { hint: steps, details, cause: error });
}

function sessionsOf(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`;
}

/** HAProxy rounds down: 10 % of a weight of 1 is none, and a canary that nobody asks finds nothing. */
function refuseLight(
  places: readonly Backend[],
  views: readonly ServerView[],
  share: number,
  weightOf: (view: ServerView) => number,
): void {
  const at = share === 0 ? -1 : views.findIndex((view) => weightOf(view) < 1);
  if (at < 0) return;
  const fact = `${share} % of its weight of ${views[at]!.initialWeight} is less than 1: it would get no traffic`;
  const hint = `give servers of ${places[at]!.server.backend} a weight of 100 in haproxy.cfg: default-server weight 100`;
  throw cannot(places[at]!, fact, { hint });
}

function own(servers: readonly ServerView[], { name }: ServerName): ServerView {
  return servers.find((server) => server.name === name)!;
}

function othersServing(servers: readonly ServerView[], { name }: ServerName): readonly ServerView[] {
  return servers.filter((server) => server.name !== name && isServing(server));
}

/** All of them have answered, also where one fails: nothing is still on its way afterwards. */
async function all<T>(places: readonly Backend[], ask: (place: Backend) => Promise<T>): Promise<T[]> {
  const asked = places.map(ask);
  await Promise.allSettled(asked);
  return Promise.all(asked);
}
