/** Which of the three ways the daemon of a home runs in, and whether it would be there after a boot. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connectOnly, isSystemdRunning, showUnit, type SystemdScope } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import { daemonFacts } from './daemon-facts.js';
import { noticesOf, problemsOf, type BootFinding } from './findings.js';
import { isLingering } from './linger.js';
import { systemdUnit, unitDifferences, unitFiles, unitVariable } from './systemd-unit.js';
import type { Target } from './target.js';
import { readUnit } from './unit-file.js';
import { isEnabledOnDisk, type Look } from './units-on-disk.js';

export type Way = 'on-demand' | 'user-systemd' | 'system-systemd';

export interface BootStatus {
  /** How the daemon that runs was started; null: none runs. */
  readonly way: Way | null;
  readonly daemonPid: number | null;
  readonly home: string;
  readonly user: string;
  readonly hasSystemd: boolean;
  readonly scope: SystemdScope;
  readonly unit: string;
  readonly path: string;
  readonly isInstalled: boolean;
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** null: it does not matter, as for a unit of the machine. */
  readonly isLingering: boolean | null;
  /** What the unit starts the daemon with; null: no unit, or one of another origin. */
  readonly node: string | null;
  /** Names of the lines of the unit that would be written otherwise now. */
  readonly differences: readonly string[];
  readonly findings: readonly BootFinding[];
}

export async function inspectBoot(target: Target): Promise<BootStatus> {
  const { scope, unit, path, home, account } = target;
  const text = readUnit(target);
  const hasSystemd = isSystemdRunning();
  const shown = hasSystemd ? await showUnit(scope, unit, ...PROPERTIES) : {};
  const daemonPid = await findDaemon(target);
  const [, node = null] = text === undefined ? [] : unitFiles(text);
  const facts = {
    daemonPid,
    home: home.path,
    user: account.name,
    hasSystemd,
    scope,
    unit,
    path,
    isInstalled: text !== undefined,
    isEnabled: hasSystemd ? shown['UnitFileState'] === 'enabled' : isEnabledOnDisk(path, LOOK),
    isActive: shown['ActiveState'] === 'active',
    isLingering: scope === 'user' ? isLingering(account) : null,
    node,
    differences: text === undefined ? [] : differencesOf(target, text),
  };
  const way = wayOf(daemonPid, Number(shown['MainPID']), scope);
  const evidence = { target, text, needsReload: shown['NeedDaemonReload'] === 'yes' };
  const status = { way, ...facts };
  return { ...status, findings: [...problemsOf(status, evidence), ...noticesOf(status, evidence)] };
}

/** A folder that cannot be read enables nothing. */
const LOOK: Look = {
  names: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
  text: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
};
const PROPERTIES = ['ActiveState', 'UnitFileState', 'MainPID', 'NeedDaemonReload'];

function wayOf(daemonPid: number | null, mainPid: number, scope: SystemdScope): Way | null {
  if (daemonPid === null) return null;
  if (daemonPid !== mainPid) return 'on-demand';
  return scope === 'user' ? 'user-systemd' : 'system-systemd';
}

async function findDaemon({ home }: Target): Promise<number | null> {
  try {
    return (await connectOnly(home).call('daemon', { anyProtocol: true })).pid;
  } catch (error) {
    if (error instanceof UpkeepError && error.code === 'daemon-unreachable') return null;
    throw error;
  }
}

/** PATH is that of the shell that installed; another one is no reason to write the unit anew. */
function differencesOf(target: Target, text: string): string[] {
  const facts = daemonFacts(target, unitVariable(text, 'PATH'));
  return unitDifferences(text, systemdUnit(facts, target.scope));
}
