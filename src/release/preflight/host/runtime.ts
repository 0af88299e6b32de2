/** Services by what runs them. */
import type { Facts } from '../facts/facts.js';

export interface Runtime {
  readonly node: string;
  /** All of them are of one user. */
  readonly services: Facts['services'];
}

/** Services that share a Node.js and a user are asked once. */
export function byRuntime(facts: Facts): Runtime[] {
  const groups = new Map<string, Runtime>();
  for (const service of facts.services) {
    if (service.node === undefined) continue;
    const id = `${service.node} ${service.user?.uid ?? ''}`;
    const services = [...(groups.get(id)?.services ?? []), service];
    groups.set(id, { node: service.node, services });
  }
  return [...groups.values()];
}
