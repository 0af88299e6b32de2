/** What services use, and what the preloads of their processes have counted since that was asked before. */
import type { Counters } from './metrics-line.js';
import type { Sampler } from './sampler.js';
import type { Service } from './service.js';

export interface Counted {
  /** Wall clock, milliseconds: the last start among what lives. */
  readonly startedAt: number;
  readonly instances: number;
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly processes: readonly Counters[];
}

export class Meter {
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  /** By the names of those that run. */
  async measure(services: readonly Service[]): Promise<Map<string, Counted>> {
    const samples = this.#sampler.sample(services.flatMap((service) => service.all));
    const counted = services.map(async (service): Promise<[string, Counted][]> => {
      const living = service.all.filter((instance) => samples.has(instance));
      if (living.length === 0) return [];
      const processes = (await Promise.all(living.map((instance) => instance.metrics()))).flat();
      const sum = (pick: 'cpuPercent' | 'rssBytes'): number =>
        living.reduce((all, instance) => all + samples.get(instance)![pick], 0);
      const use: Counted = {
        startedAt: Math.max(...living.map((instance) => instance.startedAt ?? 0)),
        instances: living.length,
        cpuPercent: sum('cpuPercent'),
        rssBytes: sum('rssBytes'),
        processes,
      };
      return [[service.name, use]];
    });
    return new Map((await Promise.all(counted)).flat());
  }
}
