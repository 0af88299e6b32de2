/** When each process began to drain, as the events of upkeep tell; and which streams ended because its time was up. */
import type { Rig } from '../../test/rig/index.js';
import { monotonicMs, type StreamEnd } from './load/index.js';

/** A drain is timed in the daemon and in the application; their clocks are the same, their timers are not. */
const EARLY_MS = 20;

export class DrainWatch {
  /** By pid. */
  readonly begun = new Map<number, number>();
  readonly #drainMs: number;
  /** Of the wall clock, by which events are dated, to the monotonic one. */
  readonly #offsetMs = monotonicMs() - Date.now();

  private constructor(drainMs: number) {
    this.#drainMs = drainMs;
  }

  /** Until the daemon ends. */
  static start(rig: Rig, drainMs: number): DrainWatch {
    const watch = new DrainWatch(drainMs);
    void watch.#follow(rig).catch(() => undefined); // the daemon has ended, and the proof with it
    return watch;
  }

  /** How long after its deadline it ended, milliseconds; undefined: the deadline was not why. */
  lateness({ pid, endedAt, by, isClean }: StreamEnd): number | undefined {
    if (by === 'client' || isClean || pid === null) return undefined;
    const begunAt = this.begun.get(pid);
    if (begunAt === undefined) return undefined;
    const lateMs = endedAt - (begunAt + this.#drainMs);
    return lateMs >= -EARLY_MS ? lateMs : undefined;
  }

  async #follow(rig: Rig): Promise<void> {
    for await (const event of rig.client.stream('events', { query: { follow: '1', limit: '1' } })) {
      if (event.type !== 'instance-status' || event.to !== 'stopping' || event.pid === null) continue;
      this.begun.set(event.pid, Date.parse(event.at) + this.#offsetMs);
    }
  }
}
