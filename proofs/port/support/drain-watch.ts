/** When each process began to drain, as the events of upkeep tell; and which streams ended because its time was up. */
import type { DatedEvent } from './dated-events.js';
import type { StreamEnd } from '../load/index.js';

/** A drain is timed in the daemon and in the application; their clocks are the same, their timers are not. */
const EARLY_MS = 20;

export class DrainWatch {
  /** By pid. */
  readonly begun = new Map<number, number>();
  readonly #drainMs: number;

  constructor(events: readonly DatedEvent[], drainMs: number) {
    this.#drainMs = drainMs;
    for (const { event, at } of events) {
      if (event.type === 'instance-status' && event.to === 'stopping' && event.pid !== null) {
        this.begun.set(event.pid, at);
      }
    }
  }

  /** How long after its deadline it ended, milliseconds; undefined: the deadline was not why. */
  lateness({ pid, endedAt, by, isClean }: StreamEnd): number | undefined {
    if (by === 'client' || isClean || pid === null) return undefined;
    const begunAt = this.begun.get(pid);
    if (begunAt === undefined) return undefined;
    const lateMs = endedAt - (begunAt + this.#drainMs);
    return lateMs >= -EARLY_MS ? lateMs : undefined;
  }
}
