/**
 * Decides which operations may run. Operations on one service never interleave: each waits for all earlier ones that
 * share a service with it, so the order of acceptance is the order of effect and no two can wait for each other.
 */
export interface QueuedOperation {
  readonly id: string;
  readonly services: ReadonlySet<string>;
  /** Equal keys ask for the same. */
  readonly key: string;
  readonly isRunning: boolean;
}

/** Of the waiting operations, oldest first, those that nothing earlier holds back. */
export function runnable<T extends QueuedOperation>(queue: readonly T[]): T[] {
  const held = new Set<string>();
  const ready: T[] = [];
  for (const operation of queue) {
    const isFree = [...operation.services].every((service) => !held.has(service));
    if (isFree && !operation.isRunning) ready.push(operation);
    for (const service of operation.services) held.add(service);
  }
  return ready;
}

/**
 * The waiting operation that a new request may join: the same wish, not begun, and with nothing in between that
 * touches the same services (otherwise joining would reorder them).
 */
export function joinable<T extends QueuedOperation>(
  queue: readonly T[],
  key: string,
  services: ReadonlySet<string>,
): T | undefined {
  for (const operation of [...queue].reverse()) {
    if (!operation.isRunning && operation.key === key) return operation;
    if ([...operation.services].some((service) => services.has(service))) return undefined;
  }
  return undefined;
}
