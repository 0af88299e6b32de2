/** The events of upkeep from now on, dated by the monotonic clock that everything else in these proofs is dated by. */
import type { UpkeepEvent } from '../../../src/protocol/index.js';
import type { Rig } from '../../../test/rig/index.js';
import { monotonicMs } from '../load/index.js';

export interface DatedEvent {
  readonly event: UpkeepEvent;
  readonly at: number;
}

/** Grows until the daemon ends. */
export function followEvents(rig: Rig): readonly DatedEvent[] {
  const dated: DatedEvent[] = [];
  // They tell the wall clock.
  const offsetMs = monotonicMs() - Date.now();
  const follow = async (): Promise<void> => {
    for await (const event of rig.client.stream('events', { query: { follow: '1', limit: '1' } })) {
      dated.push({ event, at: Date.parse(event.at) + offsetMs });
    }
  };
  void follow().catch(() => undefined); // the daemon has ended, and the proof with it
  return dated;
}
