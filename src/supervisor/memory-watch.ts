/** Ends instances that outgrow their memory limit. Looks only where a limit exists. */
import { formatBytes } from '../util/index.js';
import type { Sampler } from './sampler.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';

/** A leak of 50 MB/s is noticed within 100 MB. */
const POLL_MS = 2000;

export class MemoryWatch {
  readonly #services: ReadonlyMap<string, Service>;
  readonly #sampler: Sampler;
  #timer: NodeJS.Timeout | undefined;

  constructor(services: ReadonlyMap<string, Service>, sampler: Sampler) {
    this.#services = services;
    this.#sampler = sampler;
  }

  /** Begins to look where a service has a limit; ends by itself where none has one any more. */
  consider(): void {
    if (this.#limited().length > 0) this.#timer ??= setInterval(() => this.#look(), POLL_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #limited(): Instance[] {
    const instances = [...this.#services.values()].flatMap((service) => service.all);
    return instances.filter(({ spec }) => spec.limits.memoryBytes !== null);
  }

  #look(): void {
    const limited = this.#limited();
    if (limited.length === 0) return this.end();
    const samples = this.#sampler.sample(limited);
    for (const instance of limited) {
      const limit = instance.spec.limits.memoryBytes!;
      const used = samples.get(instance)?.rssBytes ?? 0;
      if (used > limit)
        instance.fail('memory', `memory limit: ${formatBytes(used)} of ${formatBytes(limit)}`);
    }
  }
}
