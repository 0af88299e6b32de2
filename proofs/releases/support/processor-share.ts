/** How much of the processors somebody takes: whether what was measured was measured on a machine that could bear it. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { readProcess, TICKS_PER_SECOND } from '../../../src/system/index.js';

export class ProcessorShare {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #beganAt = performance.now();
  readonly #before: Readonly<Record<string, number>>;

  /** By name. */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.#before = this.#used();
  }

  /** `daemon 12 %, load 40 %, all together 130 % of 200 %`, since it was made. */
  toString(): string {
    const ticks = ((performance.now() - this.#beganAt) / 1000) * TICKS_PER_SECOND;
    const shares = Object.entries(this.#used()).map(
      ([name, used]) => `${name} ${Math.round(((used - this.#before[name]!) / ticks) * 100)} %`,
    );
    return `${shares.join(', ')} of ${availableParallelism() * 100} %`;
  }

  #used(): Record<string, number> {
    const own = Object.entries(this.#pids).map(([name, pid]) => [name, readProcess(pid)?.cpuTicks ?? 0]);
    return { ...(Object.fromEntries(own) as Record<string, number>), 'all together': busyTicks() };
  }
}

/** Of the whole machine, without what was idle or waited for a disk. */
function busyTicks(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user + nice + system + irq + softIrq;
}
