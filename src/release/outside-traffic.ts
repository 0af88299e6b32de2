/**
 * What comes from a load balancer before the new instances are let in, and after: this host is taken out where another one can serve
 * meanwhile, and comes back with a small share first. Where none can, old instances hand over to new ones without it.
 */
import type { ReleaseSpec, UpkeepError } from '../protocol/index.js';
import type { Clock } from '../system/index.js';
import { secretsOf } from './command/mask.js';
import type { StageContext } from './job.js';
import {
  createTraffic,
  isLastServer,
  throwFailures,
  type Traffic,
  type TrafficLook,
} from './traffic/index.js';

export class OutsideTraffic {
  readonly #spec: ReleaseSpec;
  readonly #traffic: Traffic | undefined;
  #say: (text: string) => void = () => undefined;

  constructor(spec: ReleaseSpec, clock: Clock) {
    this.#spec = spec;
    const options = {
      clock,
      group: spec.name,
      secrets: () => secretsOf({ spec, folder: null }),
      onProgress: (text: string) => this.#say(text),
    };
    this.#traffic = spec.traffic ? createTraffic(spec.traffic, options) : undefined;
  }

  /** Answers why it did not go where it could not, which people should know. */
  async out(context: StageContext, services = this.services): Promise<string[]> {
    if (!this.#traffic) return [];
    this.#say = (text) => context.say(text);
    const notes: string[] = [];
    for (const service of services) {
      try {
        await this.#traffic.out(service, context.signal);
      } catch (error) {
        // Nobody else could serve: the port never closes here, so nothing has to be taken out.
        if (!isLastServer(error)) throw error;
        notes.push(`${error.message}; so it stayed in, and old instances hand over to new ones`);
      }
    }
    return notes;
  }

  /** `share`: percent of its usual weight. Each service by itself: none stays out because of another one. */
  async in(share: number, context: StageContext, services = this.services): Promise<void> {
    const traffic = this.#traffic;
    if (!traffic) return;
    this.#say = (text) => context.say(text);
    const settled: PromiseSettledResult<void>[] = [];
    const letIn = async (service: string): Promise<void> => traffic.in(service, share, context.signal);
    if (this.hasWeights) settled.push(...(await Promise.allSettled(services.map(letIn))));
    // Commands may edit one file.
    else for (const service of services) settled.push(...(await Promise.allSettled([letIn(service)])));
    throwFailures(settled);
  }

  /** Of who has not taken it out: what is out, somebody means to be. Answers what people should know of that. */
  async inUnlessOut(context: StageContext): Promise<string[]> {
    if (!this.hasWeights) return this.in(100, context).then(() => []);
    const settled = await this.#lookForOut(context, this.services);
    context.signal.throwIfAborted();
    return settled.flatMap((each) =>
      each.status === 'rejected' ? (each.reason as Error).message : (each.value.note ?? []),
    );
  }

  /** Parts those that somebody means to be out from those that can go out and come back. Who cannot be looked at is one of these. */
  async partOut(context: StageContext, services: string[]): Promise<{ going: string[]; notes: string[] }> {
    const settled = this.hasWeights ? await this.#lookForOut(context, services) : [];
    const out = settled.flatMap((each) =>
      each.status === 'fulfilled' && each.value.note !== undefined ? each.value : [],
    );
    const going = services.filter((name) => !out.some(({ service }) => service === name));
    return { going, notes: out.flatMap(({ note }) => note ?? []) };
  }

  #lookForOut(
    context: StageContext,
    services: string[],
  ): Promise<PromiseSettledResult<{ readonly service: string; readonly note: string | undefined }>[]> {
    const looks = services.map(async (service) => {
      const { out } = await this.look(service, 100, context.signal);
      return { service, note: out ? `${service} stays out of traffic, as it was; ${out.hint}` : undefined };
    });
    return Promise.allSettled(looks);
  }

  /** After `leave`, for a rollback, which lets nobody else in: who is still to come in does so now, or as before as soon as that can be done. */
  async inAtLast(context: StageContext): Promise<string[]> {
    const traffic = this.#traffic;
    if (!traffic) return [];
    const owed = this.services.filter((service) => traffic.owes(service));
    const settled = await Promise.allSettled(owed.map((service) => traffic.in(service, 100, context.signal)));
    context.signal.throwIfAborted();
    return settled.flatMap((each) => {
      if (each.status === 'fulfilled') return [];
      const { message, hint } = each.reason as UpkeepError;
      return hint === undefined ? message : `${message}; ${hint}`;
    });
  }

  /** Whether somebody is still to come in. */
  get owes(): boolean {
    return this.services.some((service) => this.#traffic?.owes(service));
  }

  /** Whether both could be done; rejects with what is in the way. */
  async look(service: string, share: number, signal: AbortSignal): Promise<TrafficLook> {
    if (!this.#traffic) throw new Error(`nothing sends traffic to ${service}`);
    return this.#traffic.look(service, share, signal);
  }

  /** It can come back with a part of its traffic. */
  get hasWeights(): boolean {
    return this.#spec.traffic?.type === 'haproxy';
  }

  /** With which it comes back first. */
  get canaryShare(): number {
    const { traffic } = this.#spec;
    return traffic?.type === 'haproxy' ? traffic.canaryWeight : 100;
  }

  /** Its release is over; who could not be let in is let in as soon as that can be done. */
  leave(): void {
    this.#say = () => undefined;
    this.#traffic?.leave();
  }

  close(): void {
    this.#traffic?.close();
  }

  /** Those that it knows of. */
  get services(): string[] {
    const { traffic, services } = this.#spec;
    if (!traffic) return [];
    const names = services.map(({ name }) => name);
    return traffic.type === 'haproxy' ? names.filter((name) => name in traffic.servers) : names;
  }
}
