/** Who lives of which service, as the daemon has it and as /proc has it. */
import type { ServiceView } from '../../../src/protocol/index.js';
import { readEnvironment, readProcess } from '../../../src/system/index.js';
import type { Rig } from '../../../test/rig/index.js';

/** By instance. */
export function pidsOf(services: readonly ServiceView[], but: readonly string[]): Map<string, number | null> {
  const kept = services.filter(({ name }) => !but.includes(name));
  return new Map(
    kept.flatMap(({ name, instances }) =>
      instances.map(({ index, pid }) => [`${name}.${index}`, pid] as const),
    ),
  );
}

/** Instances of which more than one process runs directly below a shim. */
export function doubled(rig: Rig): string[] {
  const seen = new Map<string, number>();
  for (const { pid, parent, name } of rig.processes()) {
    const { UPKEEP_SERVICE: service, UPKEEP_INSTANCE: index } = readEnvironment(pid) ?? {};
    if (service === undefined || name === 'upkeep-shim') continue;
    if (readProcess(parent)?.name !== 'upkeep-shim') continue;
    const instance = `${service}.${index}`;
    seen.set(instance, (seen.get(instance) ?? 0) + 1);
  }
  return [...seen].filter(([, count]) => count > 1).map(([instance]) => instance);
}
