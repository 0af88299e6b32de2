/**
 * The systemd unit that `upkeep boot install` gave a home, noted in the home itself. Where there is one, the daemon is
 * started and stopped through it: one that a command started beside it would keep systemd from starting its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { UpkeepError } from '../protocol/index.js';
import { isAnswering, type Client } from './client.js';
import type { Home } from './home.js';
import { isSystemdRunning, showUnit, systemctl, type SystemdScope } from './systemctl.js';

export interface BootUnit {
  readonly scope: SystemdScope;
  /** With its suffix: `upkeep.service`. */
  readonly unit: string;
  /** Of the unit file. */
  readonly path: string;
  /** Whether the installation made systemd of the user start at boot, and a removal has to undo it. */
  readonly hasEnabledLinger: boolean;
}

const DEADLINE_MS = 15_000;
const PAUSE_MS = 50;

/** undefined: there is none, or it was removed by hand. */
export function findBootUnit(home: Home): BootUnit | undefined {
  try {
    const unit = JSON.parse(readFileSync(home.bootUnit, 'utf8')) as BootUnit;
    return existsSync(unit.path) ? unit : undefined;
  } catch {
    return undefined; // none was installed
  }
}

/** The one to start a daemon through; undefined where systemd of that scope cannot be asked. */
export async function reachableBootUnit(home: Home): Promise<BootUnit | undefined> {
  const unit = findBootUnit(home);
  if (!unit || !isSystemdRunning()) return undefined;
  const { LoadState } = await showUnit(unit.scope, unit.unit, 'LoadState');
  return LoadState === 'loaded' ? unit : undefined;
}

/** `probe` is a client that starts nothing itself. */
export async function startBootUnit(unit: BootUnit, probe: Client): Promise<void> {
  const { code, said } = await systemctl(unit.scope, 'start', unit.unit);
  // Without the right to start it one may still wait for what systemd does by itself.
  if (code !== 0 && !(await isComing(unit))) throw refusedByUnit('start', unit, said);
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isAnswering(probe))) {
    if (performance.now() > deadline)
      throw refusedByUnit('start', unit, `no answer in ${DEADLINE_MS / 1000} s`);
    await delay(PAUSE_MS);
  }
}

/** The unit whose process the daemon is. */
export async function unitOfDaemon(home: Home, pid: number): Promise<BootUnit | undefined> {
  const unit = await reachableBootUnit(home);
  if (!unit) return undefined;
  const { MainPID } = await showUnit(unit.scope, unit.unit, 'MainPID');
  return Number(MainPID) === pid ? unit : undefined;
}

/** A daemon that ended in any other way, systemd would start again. */
export async function stopBootUnit(unit: BootUnit): Promise<void> {
  const { code, said } = await systemctl(unit.scope, 'stop', unit.unit);
  if (code !== 0) throw refusedByUnit('stop', unit, said);
}

async function isComing({ scope, unit }: BootUnit): Promise<boolean> {
  const { ActiveState } = await showUnit(scope, unit, 'ActiveState');
  return ActiveState === 'active' || ActiveState === 'activating';
}

function refusedByUnit(verb: 'start' | 'stop', unit: BootUnit, said: string): UpkeepError {
  const isForbidden = /authentication|denied|authorized|permitted/i.test(said);
  return new UpkeepError(
    'daemon-unreachable',
    `Cannot ${verb} the daemon: ${unit.unit} of systemd: ${said}`,
    {
      hint: isForbidden ? `sudo systemctl ${verb} ${unit.unit}` : `see why: ${journalCommand(unit)}`,
    },
  );
}

export function journalCommand({ scope, unit }: Pick<BootUnit, 'scope' | 'unit'>): string {
  return `journalctl ${scope === 'user' ? '--user-unit' : '--unit'} ${unit} -n 20`;
}
