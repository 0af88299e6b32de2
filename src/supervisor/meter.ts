/** What services use, and what the preloads of their processes have counted since that was asked before. */
import type { Instance } from './instance.js';
import type { Counters } from './metrics-line.js';
import type { Sample, Sampler } from './sampler.js';
import type { Service } from './service.js';

export interface Counted {
  /** Wall clock, milliseconds: the last start among what lives. */
  readonly startedAt: number;
  readonly instances: number;
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly processes: readonly Counters[];
}

const NOBODY: readonly Counters[] = [];

export class Meter {
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  /** By the names of those that run. Nobody is waited for but processes that count: most services have none. */
  async measure(services: readonly Service[]): Promise<Map<string, Counted>> {
    const samples = this.#sampler.sample(services.flatMap((service) => service.all));
    const counted = new Map<string, Counted>();
    const asked: Promise<void>[] = [];
    for (const { name, all } of services) {
      const use = useOf(all, samples);
      if (!use) continue;
      counted.set(name, use);
      const answers = all.flatMap((instance) => (samples.has(instance) && instance.metrics()) || []);
      if (answers.length === 0) continue;
      const take = (said: Counters[][]): void => void counted.set(name, { ...use, processes: said.flat() });
      asked.push(Promise.all(answers).then(take));
    }
    await Promise.all(asked);
    return counted;
  }
}

/** undefined: nothing of it lives. */
function useOf(instances: readonly Instance[], samples: ReadonlyMap<Instance, Sample>): Counted | undefined {
  let [startedAt, living, cpuPercent, rssBytes] = [0, 0, 0, 0];
  for (const instance of instances) {
    const sample = samples.get(instance);
    if (!sample) continue;
    living++;
    startedAt = Math.max(startedAt, instance.startedAt ?? 0);
    cpuPercent += sample.cpuPercent;
    rssBytes += sample.rssBytes;
  }
  return living === 0 ? undefined : { startedAt, instances: living, cpuPercent, rssBytes, processes: NOBODY };
}
