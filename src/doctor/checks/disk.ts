/** Space and inodes where the home lies: without them nothing can be written down. */
import { formatBytes } from '../../util/index.js';
import type { Finding, Severity } from '../finding.js';
import type { Machine } from '../machine.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export function findDisk(machine: Machine): Finding[] {
  return [...findSpace(machine), ...findInodes(machine)];
}

/** A small share of a large disk is plenty, a small disk need not be sick: both count. */
function findSpace({ home: { path, disk } }: Machine): Finding[] {
  if (!disk) return [];
  const { totalBytes, freeBytes } = disk;
  const share = freeBytes / totalBytes;
  const severity = severityOf(freeBytes < 100 * MiB && share < 0.05, freeBytes < GiB && share < 0.1);
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
  if (!disk || disk.totalInodes === 0) return [];
  const { totalInodes, freeInodes } = disk;
  const share = freeInodes / totalInodes;
  const severity = severityOf(share < 0.01, share < 0.05);
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

function severityOf(isError: boolean, isWarning: boolean): Severity | undefined {
  if (isError) return 'error';
  return isWarning ? 'warning' : undefined;
}
