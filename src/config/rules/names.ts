/** A name means one service. */
import type { Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';

export function checkNames(drafts: readonly Draft[], report: Report): void {
  const seen = new Set<string>();
  for (const { name, service, place } of drafts) {
    if (seen.has(name)) {
      const hint = 'give each service a name of its own; copies of one program are instances: 2';
      report({ path: place(['name']), message: `"${name}" is the name of an earlier service`, hint });
    }
    if (service.name !== undefined && service.name !== name) {
      const hint = `remove the name, or rename the key to ${service.name}`;
      report({ path: place(['name']), message: `"${service.name}" differs from the key "${name}"`, hint });
    }
    seen.add(name);
  }
}
