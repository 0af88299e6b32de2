/** Space and inodes where the home lies: without them nothing can be written down. */
import { shortageOfInodes, shortageOfSpace, type Shortage } from '../../core/index.js';
import { formatBytes } from '../../util/index.js';
import type { Finding, Severity } from '../finding.js';
import type { Machine } from '../machine.js';

export function findDisk(machine: Machine): Finding[] {
  return [...findSpace(machine), ...findInodes(machine)];
}

function findSpace({ home: { path, disk } }: Machine): Finding[] {
  if (!disk) return [];
  const { totalBytes, freeBytes } = disk;
  const severity = severityOf(shortageOfSpace(disk));
  if (!severity) return [];
  return [
    {
      id: 'disk-space',
      severity,
      fact: `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free where ${path} lies`,
      evidence: { path, freeBytes, totalBytes },
      command: `du -xh --max-depth=2 ${path} | sort -h | tail`,
    },
  ];
}

function findInodes({ home: { path, disk } }: Machine): Finding[] {
  if (!disk) return [];
  const { totalInodes, freeInodes } = disk;
  const severity = severityOf(shortageOfInodes(disk));
  if (!severity) return [];
  return [
    {
      id: 'disk-inodes',
      severity,
      fact: `${freeInodes} of ${totalInodes} inodes are free where ${path} lies`,
      evidence: { path, freeInodes, totalInodes },
      command: `du -x --inodes --max-depth=2 ${path} | sort -n | tail`,
    },
  ];
}

function severityOf(shortage: Shortage | undefined): Severity | undefined {
  if (shortage === 'none') return 'error';
  return shortage && 'warning';
}
