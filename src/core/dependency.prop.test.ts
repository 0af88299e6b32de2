import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCycle, startOrder, withFollowers, type Dependent } from './dependency.js';

const parameters = { numRuns: Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) };

const NAMES = ['api', 'cache', 'db', 'queue', 'web', 'worker'];

/** Any graph of services, cycles and dependencies on unknown services included. */
const graph: fc.Arbitrary<Dependent[]> = fc
  .shuffledSubarray(NAMES)
  .chain((names) => fc.tuple(...names.map((name) => dependent(name, [...NAMES, 'elsewhere']))));
/** Services that depend only on those before them, in any order. */
const acyclicGraph: fc.Arbitrary<Dependent[]> = fc
  .shuffledSubarray(NAMES)
  .chain((names) => fc.tuple(...names.map((name, index) => dependent(name, names.slice(0, index)))))
  .chain((services) => fc.shuffledSubarray(services, { minLength: services.length }));

function dependent(name: string, others: readonly string[]): fc.Arbitrary<Dependent> {
  return fc.record({
    name: fc.constant(name),
    dependsOn: fc
      .subarray([...others], { maxLength: Math.min(others.length, 3) })
      .map((chosen) => Object.fromEntries(chosen.map((other) => [other, 'ready' as const]))),
    restartWithDependencies: fc.nat(3).map((number) => number > 0),
  });
}

test('every service starts once, after everything that it depends on', () => {
  fc.assert(
    fc.property(acyclicGraph, (services) => {
      const order = startOrder(services);
      assert.deepEqual(order.toSorted(), namesOf(services).toSorted());
      for (const { name, dependsOn } of services) {
        for (const dependency of Object.keys(dependsOn)) {
          assert.ok(order.indexOf(dependency) < order.indexOf(name));
        }
      }
    }),
    parameters,
  );
});

test('every service starts once even if the graph has cycles', () => {
  fc.assert(
    fc.property(graph, (services) => {
      assert.deepEqual(startOrder(services).toSorted(), namesOf(services).toSorted());
    }),
    parameters,
  );
});

test('a graph without cycles has none found', () => {
  fc.assert(
    fc.property(acyclicGraph, (services) => assert.equal(findCycle(services), undefined)),
    parameters,
  );
});

test('a cycle is found exactly when there is one, and is told as it runs', () => {
  fc.assert(
    fc.property(graph, (services) => {
      const cycle = findCycle(services);
      const isCyclic = services.some(({ name }) => reachable([name], services, dependenciesOf).has(name));
      assert.equal(cycle !== undefined, isCyclic);
      if (!cycle) return;
      assert.equal(cycle[0], cycle.at(-1));
      assert.equal(new Set(cycle).size, cycle.length - 1);
      for (const [index, name] of cycle.slice(0, -1).entries()) {
        assert.ok(dependenciesOf(name, services).includes(cycle[index + 1]!));
      }
    }),
    parameters,
  );
});

test('a restart takes along exactly those that follow, over any number of steps', () => {
  fc.assert(
    fc.property(graph, fc.subarray(NAMES, { maxLength: 2 }), (services, chosen) => {
      const expected = new Set([...chosen, ...reachable(chosen, services, followersOf)]);
      const names = withFollowers(chosen, services);
      assert.deepEqual(names.toSorted(), [...expected].toSorted());
      assert.deepEqual(names.slice(0, chosen.length), chosen);
    }),
    parameters,
  );
});

function namesOf(services: readonly Dependent[]): string[] {
  return services.map(({ name }) => name);
}

function dependenciesOf(name: string, services: readonly Dependent[]): string[] {
  return Object.keys(services.find((service) => service.name === name)?.dependsOn ?? {});
}

function followersOf(name: string, services: readonly Dependent[]): string[] {
  return namesOf(services.filter((each) => each.restartWithDependencies && name in each.dependsOn));
}

/** Everything that one step or more lead to. */
function reachable(
  from: readonly string[],
  services: readonly Dependent[],
  next: (name: string, services: readonly Dependent[]) => string[],
): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const other of next(name, services)) {
      if (found.has(other)) continue;
      found.add(other);
      open.push(other);
    }
  }
  return found;
}
