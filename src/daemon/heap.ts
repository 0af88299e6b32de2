/** Keeps the memory of the daemon small and even; V8 alone would rather save its own time. */
import { setFlagsFromString } from 'node:v8';

/** Those of some hundred restarts. */
const EVENTS_BETWEEN = 2000;

// The heap may grow by a third, not fourfold, before it is swept: half of the memory at a hundred restarts a second, for some
// milliseconds of work each time. A V8 that does not know it says so in daemon.log.
setFlagsFromString('--heap-growing-percent=30');

/**
 * What restarts leave behind makes holes in the pages of the heap, in which less and less of what follows finds a place: half
 * of the heap after some thousand of them. So now and then the next sweep moves all of it together. That takes several times
 * as long as another one; where nothing happens nothing is done.
 */
export class Heap {
  #events = 0;
  /** Tells of the end of an object, and so of a sweep of the whole heap. */
  readonly #sweeps = new FinalizationRegistry(() => setCompaction(false));

  noteEvent(): void {
    if (++this.#events % EVENTS_BETWEEN !== 0) return;
    setCompaction(true);
    this.#sweeps.register({}, undefined);
  }
}

function setCompaction(isOn: boolean): void {
  setFlagsFromString(`--${isOn ? '' : 'no-'}compact-on-every-full-gc`);
}
