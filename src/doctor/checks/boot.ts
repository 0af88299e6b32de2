/** Whether the daemon of the home comes back with the machine. */
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { BootUnit, Machine } from '../machine.js';

export function findBoot(machine: Machine): Finding[] {
  const units = unitsOf(machine);
  const isNeeded = machine.home.services.some(({ isWanted }) => isWanted);
  if (units.length === 0) return isNeeded ? [notStarted(machine)] : [];
  return units.flatMap((unit) => judge(machine, unit));
}

/** Those that start the daemon of this home. */
export function unitsOf({ home, units }: Machine): BootUnit[] {
  return units.filter((unit) => unit.home === home.path);
}

function notStarted({ home }: Machine): Finding {
  const wanted = home.services.filter(({ isWanted }) => isWanted).map(({ spec }) => spec.name);
  return {
    id: 'not-started-at-boot',
    severity: 'note',
    fact: `no unit starts the daemon at boot: after a reboot nothing runs until the first command`,
    evidence: { services: wanted },
    command: 'upkeep boot install',
  };
}

function judge({ uid, home }: Machine, unit: BootUnit): Finding[] {
  const { path, scope, isEnabled, isLingering, missing } = unit;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const systemctl = scope === 'user' ? 'systemctl --user' : `${uid === 0 ? '' : 'sudo '}systemctl`;
  const findings: Finding[] = [];
  if (missing.length > 0) {
    findings.push({
      id: 'boot-unit-broken',
      severity: 'error',
      fact: `${path} executes ${missing.join(' and ')}, which does not exist: the daemon will not start at boot`,
      evidence: { unit: path, missing },
      command: 'upkeep boot install',
    });
  }
  if (!isEnabled) {
    findings.push({
      id: 'boot-unit-disabled',
      severity: 'warning',
      fact: `${path} is installed and not enabled: the daemon will not start at boot`,
      evidence: { unit: path },
      command: `${systemctl} enable ${quote(name)}`,
    });
  }
  if (scope === 'user' && !isLingering) {
    findings.push({
      id: 'no-linger',
      severity: 'warning',
      fact: `${path} runs only while its user is logged in: linger is off`,
      evidence: { unit: path, uid: home.ownerUid },
      command: `loginctl enable-linger ${home.ownerUid}`,
    });
  }
  return findings;
}
