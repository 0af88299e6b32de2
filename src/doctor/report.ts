/** From a machine to what is said about it. */
import { basename } from 'node:path';
import { CHECKS } from './checks.js';
import { unitsOf } from './checks/boot.js';
import { SEVERITIES, type Finding } from './finding.js';
import type { Machine } from './machine.js';
import { wordList } from './words.js';

/** Who brings the daemon up: a command, the systemd of its user, or that of the machine. */
export type Way = 'on-demand' | 'user-systemd' | 'system-systemd';

export interface Step {
  readonly what: string;
  readonly command: string;
}

export interface Report {
  readonly home: string;
  readonly way: Way;
  /** What a machine in production should have beside that. */
  readonly missing: readonly Step[];
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** What could not be looked at, and so may be sick. */
  readonly unseen: readonly string[];
}

export function examine(machine: Machine): Report {
  const findings = CHECKS.flatMap((check) => check(machine));
  return {
    home: machine.home.path,
    way: wayOf(machine),
    missing: missingSteps(machine),
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    unseen: [...machine.unseen],
  };
}

/** Notes are worth knowing and no sickness. */
export function isHealthy({ findings }: Report): boolean {
  return findings.every(({ severity }) => severity === 'note');
}

/** By the control group that systemd has put the daemon in; where none runs, by what is installed. */
function wayOf(machine: Machine): Way {
  const { daemon } = machine.home;
  if (daemon) {
    const isOf = (unit: string): boolean => daemon.controlGroups.includes(`/${unit}`);
    const isInUnit = /\/upkeep[^/]*\.service/m.test(daemon.controlGroups);
    if (!isInUnit && !unitsOf(machine).some(({ path }) => isOf(basename(path)))) return 'on-demand';
    return /\/user@\d+\.service\//.test(daemon.controlGroups) ? 'user-systemd' : 'system-systemd';
  }
  const [unit] = unitsOf(machine).filter(({ isEnabled }) => isEnabled);
  if (!unit) return 'on-demand';
  return unit.scope === 'user' ? 'user-systemd' : 'system-systemd';
}

function missingSteps(machine: Machine): Step[] {
  const { home } = machine;
  const wanted = home.services.filter(({ isWanted }) => isWanted);
  const loose = wanted.filter(({ spec }) => spec.origin.file === null).map(({ spec }) => spec.name);
  const steps: Step[] = [];
  if (unitsOf(machine).length === 0) steps.push({ what: 'a start at boot', command: 'upkeep boot install' });
  if (loose.length > 0)
    steps.push({ what: `a configuration file for ${wordList(loose)}`, command: 'upkeep up <file>' });
  return steps;
}
