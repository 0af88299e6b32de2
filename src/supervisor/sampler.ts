/** Memory and processor share of instances, each with its whole tree, from one look at /proc for all of them. */
import {
  childrenByParent,
  descendants,
  readProcessTable,
  TICKS_PER_SECOND,
  type ProcessRow,
} from '../system/index.js';
import type { Instance } from './instance.js';

export interface Sample {
  readonly rssBytes: number;
  readonly cpuPercent: number;
}

interface Reading {
  readonly pid: number;
  readonly cpuTicks: number;
  readonly at: number;
}

/** Shorter intervals would say more about the clock tick (10 ms) than about the process. */
const MIN_INTERVAL_MS = 1000;

export class Sampler {
  readonly #now: () => number;
  readonly #readings = new WeakMap<Instance, { last: Reading; before: Reading }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  sample(instances: readonly Instance[]): Map<Instance, Sample> {
    const samples = new Map<Instance, Sample>();
    const living = instances.filter(
      (instance) => instance.process !== undefined && instance.shim !== undefined,
    );
    if (living.length === 0) return samples;
    // What is below a shim says so itself.
    const shims = new Set(living.map(({ shim }) => shim!.pid));
    const children = childrenByParent(readProcessTable(shims));
    for (const instance of living) {
      const tree = descendants(children, instance.shim!.pid);
      if (tree.length > 0) samples.set(instance, this.#measure(instance, tree));
    }
    return samples;
  }

  #measure(instance: Instance, tree: readonly ProcessRow[]): Sample {
    const rssBytes = tree.reduce((sum, row) => sum + row.rssBytes, 0);
    const cpuTicks = tree.reduce((sum, row) => sum + row.cpuTicks, 0);
    const reading: Reading = { pid: instance.process!.pid, cpuTicks, at: this.#now() };
    const base = this.#baseFor(instance, reading);
    const seconds = (reading.at - base.at) / 1000;
    const used = Math.max(0, cpuTicks - base.cpuTicks) / TICKS_PER_SECOND;
    return { rssBytes, cpuPercent: seconds > 0 ? Math.round((used / seconds) * 1000) / 10 : 0 };
  }

  /** The reading to compare with: at least `MIN_INTERVAL_MS` old; for the first look the start of the process. */
  #baseFor(instance: Instance, reading: Reading): Reading {
    const known = this.#readings.get(instance);
    const startedAt = reading.at - Math.max(1, Date.now() - (instance.startedAt ?? Date.now()));
    const birth: Reading = { pid: reading.pid, cpuTicks: 0, at: startedAt };
    const usable = known?.last.pid === reading.pid ? known : { last: birth, before: birth };
    const isDue = reading.at - usable.last.at >= MIN_INTERVAL_MS;
    const base = isDue ? usable.last : usable.before;
    if (isDue) this.#readings.set(instance, { last: reading, before: usable.last });
    return base;
  }
}
