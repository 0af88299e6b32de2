/** Compares configuration files with what is stored of them: what `upkeep diff` would tell, without a daemon. */
import { statSync } from 'node:fs';
import { formatDiagnostics, loadConfig } from '../../config/index.js';
import { reconcile } from '../../core/index.js';
import type { StoredService } from '../../store/index.js';
import type { ConfigurationDrift, Home } from '../machine.js';
import type { Sight } from './sight.js';

export async function readConfigurations({ services }: Home, sight: Sight): Promise<ConfigurationDrift[]> {
  const fromFiles = services.filter(({ spec }) => spec.origin.file !== null);
  const origins = new Set(fromFiles.map(originOf));
  const drifts = [...origins].map((origin) => {
    const stored = fromFiles.filter((service) => originOf(service) === origin);
    return compare(stored, services, sight);
  });
  return (await Promise.all(drifts)).flat();
}

function originOf({ spec: { origin } }: StoredService): string {
  return JSON.stringify(origin);
}

async function compare(
  stored: readonly StoredService[],
  all: readonly StoredService[],
  sight: Sight,
): Promise<ConfigurationDrift[]> {
  const { profile } = stored[0]!.spec.origin;
  const file = stored[0]!.spec.origin.file!;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return [{ kind: 'missing', file, services: stored.map(({ spec }) => spec.name) }];
  // A configuration may be a program: nobody's is run with the rights of somebody else.
  if (stats.uid !== 0 && stats.uid !== process.getuid?.()) {
    sight.unseen.add(`${file}, which belongs to uid ${stats.uid}`);
    return [];
  }
  const result = await loadConfig(file, { profile });
  if (!result.ok) {
    const problems = result.diagnostics.map((diagnostic) => formatDiagnostics([diagnostic]).split('\n')[0]!);
    return [{ kind: 'invalid', file, problems }];
  }
  const existing = new Map(all.map((service) => [service.spec.name, service]));
  return [{ kind: 'read', file, changes: reconcile(result.services, existing) }];
}
