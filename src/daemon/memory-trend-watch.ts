/** Says when the memory of a service grows without an end, and when it does so no more. Costs a comparison for each sample. */
import {
  hasStopped,
  isLongEnough,
  judgeMemory,
  noteMemory,
  type MemoryGrowth,
  type MemoryTrack,
} from '../core/index.js';
import type { NewEvent } from '../protocol/index.js';

export interface MeasuredMemory {
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  readonly instances: number;
  readonly rssBytes: number;
}

export interface MemoryTrendHost {
  readonly now: () => number;
  /** Of an instance; null: it has none. */
  readonly limitOf: (service: string) => number | null;
  /** What the machine has left, where so much is used by services. */
  readonly memoryLeft: (usedBytes: number) => number;
  readonly emit: (event: NewEvent) => void;
}

interface Room {
  readonly roomBytes: number;
  readonly bound: 'limit' | 'machine';
}

interface Watched {
  readonly track: MemoryTrack | undefined;
  /** The pace per hour that was told; `before`: a former daemon has told one; undefined: nothing was told. */
  readonly told: number | 'before' | undefined;
}

export class MemoryTrendWatch {
  readonly #host: MemoryTrendHost;
  readonly #services: Map<string, Watched>;

  /** `toldBefore`: of which services a former daemon has said that they grow. */
  constructor(host: MemoryTrendHost, toldBefore: readonly string[]) {
    this.#host = host;
    this.#services = new Map(toldBefore.map((name) => [name, { track: undefined, told: 'before' }]));
  }

  /** Of all services that run. */
  note(measured: ReadonlyMap<string, MeasuredMemory>): void {
    for (const [name, { told }] of this.#services) {
      if (measured.has(name)) continue;
      if (told !== undefined) this.#tell(name, 0, undefined);
      this.#services.delete(name);
    }
    const usedBytes = [...measured.values()].reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    let left: number | undefined;
    const leftBytes = (): number => (left ??= this.#host.memoryLeft(usedBytes));
    for (const [name, memory] of measured) this.#look(name, memory, leftBytes);
  }

  #look(name: string, memory: MeasuredMemory, leftBytes: () => number): void {
    const { track: before, told } = this.#services.get(name) ?? {};
    const { track, isFilled } = noteMemory(before, { at: this.#host.now(), ...memory });
    const isAnew = before !== undefined && before.startedAt !== track.startedAt;
    const over = told !== undefined && (isAnew || (isFilled && this.#isOver(track, told)));
    const room = isFilled && typeof told !== 'number' ? this.#room(name, memory, leftBytes()) : undefined;
    const growth = room && judgeMemory(track, room.roomBytes);
    if (growth) this.#tell(name, memory.rssBytes, { ...growth, bound: room.bound });
    else if (over) this.#tell(name, memory.rssBytes, undefined);
    this.#services.set(name, { track, told: growth?.bytesPerHour ?? (over ? undefined : told) });
  }

  #isOver(track: MemoryTrack, told: number | 'before'): boolean {
    return told === 'before' ? isLongEnough(track) : hasStopped(track, told);
  }

  /** What comes to an end first. */
  #room(name: string, { instances, rssBytes }: MeasuredMemory, machine: number): Room {
    const limit = this.#host.limitOf(name);
    const own = limit === null ? Infinity : Math.max(0, limit * instances - rssBytes);
    return own < machine ? { roomBytes: own, bound: 'limit' } : { roomBytes: machine, bound: 'machine' };
  }

  #tell(service: string, rssBytes: number, growth: (MemoryGrowth & Pick<Room, 'bound'>) | undefined): void {
    this.#host.emit({
      type: 'memory-growth',
      ...{ service, rssBytes, isGrowing: growth !== undefined },
      bytesPerHour: Math.round(growth?.bytesPerHour ?? 0),
      bound: growth?.bound ?? 'machine',
      reachedAt: growth ? new Date(this.#host.now() + growth.lastsMs).toISOString() : null,
    });
  }
}
