/** Orders services by what they depend on: start in waves, stop in reverse, restart what rests on a restarted one. */
import type { ServiceSpec } from '../protocol/index.js';

export type Dependent = Pick<ServiceSpec, 'name' | 'dependsOn' | 'restartWithDependencies'>;

/** Names in an order in which each comes after everything that it depends on (dependencies outside are ignored). */
export function startOrder(services: readonly Dependent[]): string[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const order = new Set<string>();
  const visit = (service: Dependent, path: ReadonlySet<string>): void => {
    if (order.has(service.name) || path.has(service.name)) return;
    const below = new Set(path).add(service.name);
    for (const name of Object.keys(service.dependsOn)) {
      const dependency = byName.get(name);
      if (dependency) visit(dependency, below);
    }
    order.add(service.name);
  };
  for (const service of services) visit(service, new Set());
  return [...order];
}

/** The first cycle, as the names along it with the first one repeated at the end. */
export function findCycle(services: readonly Dependent[]): string[] | undefined {
  const byName = new Map(services.map((service) => [service.name, service]));
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    const service = byName.get(name);
    if (!service || done.has(name)) return undefined;
    for (const dependency of Object.keys(service.dependsOn)) {
      const cycle = visit(dependency, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const { name } of services) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The chosen services and, transitively, those that want to be restarted with one of them. */
export function withFollowers(chosen: readonly string[], services: readonly Dependent[]): string[] {
  const names = new Set(chosen);
  for (let before = -1; before !== names.size;) {
    before = names.size;
    for (const service of services) {
      const follows =
        service.restartWithDependencies && Object.keys(service.dependsOn).some((name) => names.has(name));
      if (follows) names.add(service.name);
    }
  }
  return [...names];
}

/** The chosen services and, transitively, what they depend on, as far as `isNeeded`; in an order to start them in. */
export function withDependencies<T extends Dependent>(
  chosen: readonly string[],
  services: readonly T[],
  isNeeded: (service: T) => boolean = () => true,
): string[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const names = new Set(chosen);
  for (const name of names) {
    for (const dependency of Object.keys(byName.get(name)?.dependsOn ?? {})) {
      const service = byName.get(dependency);
      if (service && isNeeded(service)) names.add(dependency);
    }
  }
  return startOrder(services.filter((service) => names.has(service.name)));
}
