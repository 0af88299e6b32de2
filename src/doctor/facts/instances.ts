/** The attempts of a home: those that live, by their shims, and the folders of all. */
import { join } from 'node:path';
import { isAlive, readReports, type ShimReport } from '../../system/index.js';
import type { LiveInstance, Process, RunFolder } from '../machine.js';
import { isShim, type Processes } from './processes.js';
import type { Sight } from './sight.js';

export function readInstances(home: string, processes: Processes): LiveInstance[] {
  return [...processes.values()].flatMap((shim) => {
    if (!isShim(shim) || shim.environment?.['UPKEEP_HOME'] !== home) return [];
    const { UPKEEP_SERVICE: service, UPKEEP_INSTANCE: instance, UPKEEP_RUN: runDir } = shim.environment;
    if (service === undefined || runDir === undefined) return [];
    const reports = readAll(runDir);
    const running = reports.find((report) => report.id === 'running');
    const hasExited = reports.some(({ id }) => id === 'exited');
    return {
      service,
      instance: Number(instance),
      shim,
      main: running && !hasExited ? processes.get(running.process.pid) : undefined,
      startedAt: reports.find(({ id }) => id === 'shim')?.at,
      tree: treeOf(shim, processes),
    };
  });
}

/** Parents before their children. */
function treeOf({ pid }: Process, processes: Processes): Process[] {
  const children = [...processes.values()].filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...treeOf(child, processes)]);
}

export function readRuns(home: string, what: string, sight: Sight): RunFolder[] {
  const folder = join(home, 'run');
  return sight.names(folder, what).flatMap((name) => {
    const path = join(folder, name);
    const stats = sight.stats(path, what);
    if (!stats?.isDirectory()) return [];
    const shim = readAll(path).find((report) => report.id === 'shim');
    return { path, isShimAlive: shim !== undefined && isAlive(shim.process), changedAt: stats.mtimeMs };
  });
}

function readAll(runDir: string): ShimReport[] {
  try {
    return readReports(runDir);
  } catch {
    return []; // the shim has not begun, or it is not ours to see
  }
}
