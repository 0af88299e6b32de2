/** What the preloads of services count, as far as it came since the last time: asked over their control sockets. */
import type { ProcessMetrics } from '../protocol/index.js';
import type { Instance } from './instance.js';
import type { Sampler } from './sampler.js';
import type { Service } from './service.js';

/** What processes of one service have counted since they were asked before. */
export interface Counted {
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly processes: readonly {
    readonly now: ProcessMetrics;
    readonly before: ProcessMetrics | undefined;
  }[];
}

export class Meter {
  readonly #sampler: Sampler;
  /** By attempt and process. */
  #known = new Map<string, ProcessMetrics>();

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  /** By the names of those that run. */
  async measure(services: readonly Service[]): Promise<Map<string, Counted>> {
    const known = new Map<string, ProcessMetrics>();
    const samples = this.#sampler.sample(services.flatMap((service) => service.all));
    const counted = new Map<string, Counted>();
    for (const service of services) {
      const living = service.all.filter((instance) => samples.has(instance));
      if (living.length === 0) continue;
      const answers = await Promise.all(living.map(async (instance) => this.#ask(service.name, instance)));
      const processes = answers.flat().map(({ key, now }) => {
        known.set(key, now);
        return { now, before: this.#known.get(key) };
      });
      const sum = (pick: 'cpuPercent' | 'rssBytes'): number =>
        living.reduce((all, instance) => all + samples.get(instance)![pick], 0);
      counted.set(service.name, { cpuPercent: sum('cpuPercent'), rssBytes: sum('rssBytes'), processes });
    }
    this.#known = known;
    return counted;
  }

  async #ask(service: string, instance: Instance): Promise<{ key: string; now: ProcessMetrics }[]> {
    const answers = await instance.metrics();
    return answers.map(({ pid, metrics }) => ({
      key: `${service}.${instance.index}.${instance.attempt}.${pid}`,
      now: metrics,
    }));
  }
}
