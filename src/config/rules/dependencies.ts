/** Who waits for whom, and whether that can come true. */
import { findCycle } from '../../core/index.js';
import type { DependencyCondition, ServiceSpec } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Path, Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';

export interface Pair {
  readonly draft: Draft;
  readonly spec: ServiceSpec;
}

interface Wish {
  readonly name: string;
  readonly condition: DependencyCondition | null;
  readonly path: Path;
}

/** The specifications with their dependencies, conditions filled in. */
export function linkDependencies(pairs: readonly Pair[], report: Report): ServiceSpec[] {
  const byName = new Map(pairs.map((pair) => [pair.draft.name, pair]));
  const specs = pairs.map((pair): ServiceSpec => {
    const dependsOn: ServiceSpec['dependsOn'] = {};
    for (const wish of wishesOf(pair.draft)) {
      const target = byName.get(wish.name);
      if (!target || target === pair) reportUnknown(wish, pair, [...byName.keys()], report);
      else {
        dependsOn[wish.name] = wish.condition ?? defaultCondition(target);
        checkCondition(wish, target, report);
      }
    }
    return { ...pair.spec, dependsOn };
  });
  reportCycle(specs, byName, report);
  return specs;
}

function wishesOf({ service: { dependsOn }, place }: Draft): Wish[] {
  if (dependsOn === undefined) return [];
  if (typeof dependsOn === 'string')
    return [{ name: dependsOn, condition: null, path: place(['dependsOn']) }];
  if (Array.isArray(dependsOn)) {
    return dependsOn.map((name, index) => ({ name, condition: null, path: place(['dependsOn', index]) }));
  }
  return Object.entries(dependsOn).map(([name, condition]) => ({
    name,
    condition,
    path: place(['dependsOn', name]),
  }));
}

function defaultCondition({ spec: { ready } }: Pair): DependencyCondition {
  return ready.on === 'start' ? 'started' : 'ready';
}

function reportUnknown(wish: Wish, { draft }: Pair, known: readonly string[], report: Report): void {
  const at = wish.condition === null ? 'value' : 'key';
  if (wish.name === draft.name) {
    report({
      path: wish.path,
      at,
      message: `"${wish.name}" depends on itself`,
      hint: 'remove it from dependsOn',
    });
    return;
  }
  const others = known.filter((name) => name !== draft.name);
  const near = mostSimilar(wish.name, others);
  const list = others.length > 0 ? `known services: ${others.join(', ')}` : 'the file has no other service';
  report({
    path: wish.path,
    at,
    message: `"${wish.name}" is not a service of this file`,
    hint: near ? `did you mean "${near}"?` : list,
  });
}

function checkCondition({ name, condition, path }: Wish, { draft, spec }: Pair, report: Report): void {
  if (condition === 'completed' && spec.restart.policy === 'always' && !draft.broken.has('restart')) {
    report({
      path,
      message: `"${name}" never completes, because its restart policy is always`,
      hint: `write restart: on-failure for "${name}", or wait for ready`,
    });
  }
  if (condition === 'healthy' && spec.health === null && !draft.broken.has('health')) {
    report({
      path,
      message: `"${name}" is never healthy, because it has no health check`,
      hint: `write health: {http: /health} for "${name}", or wait for ready`,
    });
  }
}

function reportCycle(specs: readonly ServiceSpec[], byName: ReadonlyMap<string, Pair>, report: Report): void {
  const [first, second, ...rest] = findCycle(specs) ?? [];
  const from = first === undefined ? undefined : byName.get(first);
  if (!from || second === undefined) return;
  const wish = wishesOf(from.draft).find(({ name }) => name === second);
  report({
    path: wish?.path ?? from.draft.place(['dependsOn']),
    at: wish?.condition === null ? 'value' : 'key',
    message: `the services wait for each other: ${[first, second, ...rest].join(' -> ')}`,
    hint: 'remove one of these dependencies',
  });
}
