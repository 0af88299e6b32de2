/** Merges logs in the order of time; of one log the order stays as it is. */
import type { LogRecord } from './record-queue.js';
import type { Step } from './read-log.js';

interface Source<T> {
  readonly steps: Iterator<Step>;
  readonly origin: T;
  /** Of two at the same time the one that was named first comes first. */
  readonly order: number;
  step: Step;
}

export interface Merged<T> {
  readonly origin: T;
  readonly record: LogRecord;
}

/** undefined: nothing yet, but it gets on. */
export function* merge<T>(
  logs: readonly { origin: T; steps: Iterator<Step> }[],
): Generator<Merged<T> | undefined> {
  const heap: Source<T>[] = [];
  for (const [order, { origin, steps }] of logs.entries()) {
    const { value, done } = steps.next();
    if (!done) heap.push({ origin, steps, order, step: value });
  }
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at);
  while (heap.length > 0) {
    const [first] = heap as [Source<T>];
    const { step, origin } = first;
    yield step.lines ? { origin, record: step } : undefined;
    const { value, done } = first.steps.next();
    if (!done) first.step = value;
    else if (heap.length === 1) return;
    else heap[0] = heap.pop()!;
    sink(heap, 0);
  }
}

function sink<T>(heap: Source<T>[], from: number): void {
  for (let at = from; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    let first = at;
    if (left < heap.length && isBefore(heap[left]!, heap[first]!)) first = left;
    if (right < heap.length && isBefore(heap[right]!, heap[first]!)) first = right;
    if (first === at) return;
    [heap[at], heap[first]] = [heap[first]!, heap[at]!];
    at = first;
  }
}

function isBefore<T>(one: Source<T>, other: Source<T>): boolean {
  return one.step.time < other.step.time || (one.step.time === other.step.time && one.order < other.order);
}
