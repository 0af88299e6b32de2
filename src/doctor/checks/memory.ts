/** What the kernel had to do for want of memory. */
import { formatBytes } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { wordList } from '../words.js';

const MiB = 1024 ** 2;
const MUCH_SWAPPED_BYTES = 64 * MiB;
const COMMAND = 'upkeep list # then set limits.memory, or give the machine more';

export function findMemory(machine: Machine): Finding[] {
  return [...findKills(machine), ...findSwapped(machine)];
}

function findKills({ memory: { oomKills, oomKillsOfOurs, victims } }: Machine): Finding[] {
  if (oomKills === 0) return [];
  const ours = oomKillsOfOurs > 0 ? `, ${oomKillsOfOurs} of them in the control groups of this home` : '';
  const whom = victims.length > 0 ? `: ${wordList(victims)}` : '';
  return [
    {
      id: 'oom-kills',
      severity: 'warning',
      fact: `the kernel ended ${oomKills} ${oomKills === 1 ? 'process' : 'processes'} for want of memory since boot${ours}${whom}`,
      evidence: { oomKills, oomKillsOfOurs, victims },
      command: COMMAND,
    },
  ];
}

function findSwapped({ home: { instances }, memory }: Machine): Finding[] {
  const swapped = instances.flatMap(({ service, instance, tree }) => {
    const bytes = tree.reduce((sum, { swapBytes }) => sum + swapBytes, 0);
    return bytes > MUCH_SWAPPED_BYTES ? [{ who: `${service}.${instance}`, bytes }] : [];
  });
  if (swapped.length === 0) return [];
  const words = swapped.map(({ who, bytes }) => `${who} with ${formatBytes(bytes)}`);
  const free = `${formatBytes(memory.swapFreeBytes)} of ${formatBytes(memory.swapTotalBytes)}`;
  return [
    {
      id: 'swapped-out',
      severity: 'warning',
      fact: `services are swapped out: ${wordList(words)}; ${free} of swap are free`,
      evidence: { swapped, swapFreeBytes: memory.swapFreeBytes },
      command: COMMAND,
    },
  ];
}
