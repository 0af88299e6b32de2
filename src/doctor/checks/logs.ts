/** Log files that nobody rotates or deletes any more. */
import { LOG_LIMITS } from '../../logs/index.js';
import { formatBytes, quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { FileFact, Machine } from '../machine.js';
import { wordCount, wordList } from '../words.js';

const MiB = 1024 ** 2;
const MAX_DAEMON_LOG_BYTES = 100 * MiB;
const MAX_ABANDONED_BYTES = 100 * MiB;

export function findLogs(machine: Machine): Finding[] {
  return [...findSurplus(machine), ...findAbandoned(machine), ...findDaemonLog(machine)];
}

/** Rotated files with a number beyond those that are kept: of an older upkeep that kept more. */
function findSurplus({ home }: Machine): Finding[] {
  const surplus = home.files.filter(({ path, kind }) => {
    const [, number] = /\/logs\/[^/]+\/(?:out|err)\.log\.(\d+)$/.exec(path.slice(home.path.length)) ?? [];
    return kind === 'file' && number !== undefined && Number(number) > LOG_LIMITS.keep;
  });
  if (surplus.length === 0) return [];
  const paths = surplus.map(({ path }) => path);
  return [
    {
      id: 'logs-beyond-limit',
      severity: 'warning',
      fact: `${wordCount(paths.length, 'rotated log file')} (${formatBytes(sum(surplus))}) beyond the ${LOG_LIMITS.keep} that are kept: ${wordList(paths, 3)}`,
      evidence: { paths, bytes: sum(surplus) },
      command: `rm ${paths.map(quote).join(' ')}`,
      repair: { kind: 'remove', paths, lock: null },
    },
  ];
}

/** `upkeep delete` leaves the logs where they are; whoever deletes them has to decide. */
function findAbandoned({ home }: Machine): Finding[] {
  const known = new Set(home.services.map(({ spec }) => spec.name));
  const files = home.files.filter(({ path, kind }) => {
    const [, service] = /^\/logs\/([^/]+)\/./.exec(path.slice(home.path.length)) ?? [];
    return kind === 'file' && service !== undefined && !known.has(service);
  });
  const folders = [...new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/'))))];
  if (sum(files) < MAX_ABANDONED_BYTES) return [];
  return [
    {
      id: 'logs-of-deleted-services',
      severity: 'warning',
      fact: `logs of deleted services take ${formatBytes(sum(files))}: ${wordList(folders, 3)}`,
      evidence: { folders, bytes: sum(files) },
      command: `rm -r ${folders.map(quote).join(' ')}`,
    },
  ];
}

function findDaemonLog({ home }: Machine): Finding[] {
  const log = home.files.find(({ path }) => path === `${home.path}/daemon.log`);
  if (!log || log.bytes < MAX_DAEMON_LOG_BYTES) return [];
  return [
    {
      id: 'daemon-log-large',
      severity: 'warning',
      fact: `${log.path} has ${formatBytes(log.bytes)}`,
      evidence: { path: log.path, bytes: log.bytes },
      command: `truncate --size 0 ${quote(log.path)}`,
    },
  ];
}

function sum(files: readonly FileFact[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
