/** Log files that nobody rotates or deletes any more. */
import { DEFAULT_LOGS, type LogSpec } from '../../protocol/index.js';
import { formatBytes, quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { FileFact, Machine } from '../machine.js';
import { wordCount, wordList } from '../words.js';

const MiB = 1024 ** 2;
const MAX_DAEMON_LOG_BYTES = 100 * MiB;
const MAX_ABANDONED_BYTES = 100 * MiB;
const ROTATED = /^\/logs\/([^/]+)\/(?:out|err)(?:-\d+)?\.log\.(\d+)(?:\.gz)?$/;

export function findLogs(machine: Machine): Finding[] {
  return [
    ...findSurplus(machine),
    ...findOverfull(machine),
    ...findAbandoned(machine),
    ...findDaemonLog(machine),
  ];
}

/** Rotated files with a number beyond those that are kept: nobody has rotated there since fewer are. */
function findSurplus({ home }: Machine): Finding[] {
  const surplus = home.files.filter(({ path, kind }) => {
    const [, service, number] = ROTATED.exec(path.slice(home.path.length)) ?? [];
    return kind === 'file' && service !== undefined && Number(number) > limitsOf(home, service).maxFiles;
  });
  if (surplus.length === 0) return [];
  const paths = surplus.map(({ path }) => path);
  return [
    {
      id: 'logs-beyond-limit',
      severity: 'warning',
      fact: `${wordCount(paths.length, 'rotated log file')} (${formatBytes(sum(surplus))}) beyond those that are kept: ${wordList(paths, 3)}`,
      evidence: { paths, bytes: sum(surplus) },
      command: `rm ${paths.map(quote).join(' ')}`,
      repair: { kind: 'remove', paths, lock: null },
    },
  ];
}

/** Less may be kept since the last rotation; or something else lies in the folder. */
function findOverfull({ home }: Machine): Finding[] {
  return home.services.flatMap(({ spec }) => {
    const folder = `${home.path}/logs/${spec.name}`;
    const { maxFileBytes, maxTotalBytes } = limitsOf(home, spec.name);
    const bytes = sum(
      home.files.filter(({ path, kind }) => kind === 'file' && path.startsWith(`${folder}/`)),
    );
    if (bytes <= maxTotalBytes + maxFileBytes) return [];
    const fact = `${folder} takes ${formatBytes(bytes)}, more than logs.maxTotal of "${spec.name}" (${formatBytes(maxTotalBytes)})`;
    return [
      {
        id: 'logs-overfull',
        severity: 'warning' as const,
        fact,
        evidence: { folder, bytes, maxTotalBytes },
        command: `ls -lS ${quote(folder)}`,
      },
    ];
  });
}

function limitsOf(home: Machine['home'], service: string): LogSpec {
  return home.services.find(({ spec }) => spec.name === service)?.spec.logs ?? DEFAULT_LOGS;
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
