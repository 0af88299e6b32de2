import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinable, runnable, type QueuedOperation } from './queue.js';

const parameters = { numRuns: Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) };

interface Request {
  readonly key: string;
  readonly services: ReadonlySet<string>;
}

/** Requests come in, operations begin and end: what the daemon does with its queue, in the order of the turns. */
interface Day {
  readonly requests: readonly Request[];
  /** What happens next, in turn: a request comes in, or the n-th running operation ends. */
  readonly turns: readonly (number | 'request')[];
}

interface Seen {
  readonly accepted: readonly Request[];
  /** In the order in which they began, each with what ran at that time. */
  readonly begun: readonly {
    readonly operation: QueuedOperation;
    readonly beside: readonly QueuedOperation[];
  }[];
  readonly joined: readonly { readonly request: Request; readonly id: string }[];
  readonly left: readonly QueuedOperation[];
}

const services = fc.subarray(['api', 'db', 'web', 'worker']).map((names) => new Set(names));
/** Equal keys ask for the same: the key tells the wish and the services. */
const request: fc.Arbitrary<Request> = fc
  .tuple(fc.constantFrom('start', 'stop', 'restart'), services)
  .map(([wish, names]) => ({ key: `${wish} ${[...names].join()}`, services: names }));
const day: fc.Arbitrary<Day> = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 12 }),
  turns: fc.array(fc.oneof(fc.nat(3), fc.constant('request' as const)), { maxLength: 30 }),
});

test('operations on a common service never run at the same time', () => {
  check((seen) => {
    for (const { operation, beside } of seen.begun) {
      const rivals = beside.filter((other) => isShared(operation, other));
      assert.deepEqual(rivals, []);
    }
  });
});

test('operations on a common service begin in the order of their acceptance', () => {
  check((seen) => {
    const begun = seen.begun.map(({ operation }) => operation);
    for (const [index, operation] of begun.entries()) {
      const overtaken = begun.slice(index + 1).filter((later) => Number(later.id) < Number(operation.id));
      assert.deepEqual(
        overtaken.filter((earlier) => isShared(operation, earlier)),
        [],
      );
    }
  });
});

test('every operation ends: none waits for ever, none begins twice', () => {
  check((seen) => {
    const begun = seen.begun.map(({ operation }) => operation.id);
    assert.deepEqual(seen.left, []);
    assert.equal(new Set(begun).size, begun.length);
    assert.equal(begun.length + seen.joined.length, seen.accepted.length);
  });
});

test('operations that share nothing do not wait for each other', () => {
  fc.assert(
    fc.property(fc.array(request), (requests) => {
      const queue = requests.map((each, index) => queued(index, each));
      const ready = new Set(runnable(queue));
      for (const [index, operation] of queue.entries()) {
        const isHeld = queue.slice(0, index).some((earlier) => isShared(operation, earlier));
        assert.equal(ready.has(operation), !isHeld);
      }
    }),
    parameters,
  );
});

test('a joined request takes effect as if it had queued: nothing between it and the joined one touches its services', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(request, fc.boolean())), request, (entries, { key, services: names }) => {
      const queue = entries.map(([each, isRunning], index) => queued(index, each, isRunning));
      const joined = joinable(queue, key, names);
      const fit = queue.findLastIndex((each) => each.key === key && !each.isRunning);
      const isPassed = queue.slice(fit + 1).some((each) => isShared(each, { services: names }));
      assert.equal(joined, fit < 0 || isPassed ? undefined : queue[fit]);
    }),
    parameters,
  );
});

function check(property: (seen: Seen) => void): void {
  fc.assert(
    fc.property(day, (lived) => property(liveThrough(lived))),
    parameters,
  );
}

function liveThrough({ requests, turns }: Day): Seen {
  const seen = {
    accepted: requests,
    begun: [] as Seen['begun'][number][],
    joined: [] as Seen['joined'][number][],
  };
  const coming = [...requests.entries()];
  let queue: QueuedOperation[] = [];
  const begin = (): void => {
    for (const operation of runnable(queue)) {
      seen.begun.push({ operation, beside: queue.filter(({ isRunning }) => isRunning) });
      queue = queue.map((other) => (other === operation ? { ...operation, isRunning: true } : other));
    }
  };
  const accept = (): void => {
    const [id, each] = coming.shift() ?? [];
    if (id === undefined || !each) return;
    const joined = joinable(queue, each.key, each.services);
    if (joined) seen.joined.push({ request: each, id: joined.id });
    else queue.push(queued(id, each));
    begin();
  };
  const end = (turn: number): void => {
    const running = queue.filter(({ isRunning }) => isRunning);
    const ended = running[turn % running.length];
    queue = queue.filter((operation) => operation !== ended);
    begin();
  };
  for (const turn of turns) turn === 'request' ? accept() : end(turn);
  while (coming.length > 0) accept();
  // As many ends as there are operations must be enough.
  for (let left = queue.length; left > 0; left--) end(0);
  return { ...seen, left: queue };
}

function queued(id: number, { key, services: names }: Request, isRunning = false): QueuedOperation {
  return { id: String(id), key, services: names, isRunning };
}

function isShared(one: Pick<QueuedOperation, 'services'>, other: Pick<QueuedOperation, 'services'>): boolean {
  return [...one.services].some((service) => other.services.has(service));
}
