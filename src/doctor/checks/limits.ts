/** Limits of the kernel that a daemon or a service is about to meet. */
import type { Finding } from '../finding.js';
import type { Machine, Process } from '../machine.js';
import { wordList } from '../words.js';

const MIN_OPEN_FILES = 1024;
const MIN_PROCESSES = 256;
const NEARLY = 0.8;

interface Limited {
  readonly who: string;
  readonly process: Process;
}

export function findLimits(machine: Machine): Finding[] {
  const limited = limitedOf(machine);
  return [...findOpenFiles(limited), ...findProcesses(machine, limited)];
}

function limitedOf({ home: { daemon, instances } }: Machine): Limited[] {
  const mains = instances.flatMap(({ service, instance, main }) =>
    main ? [{ who: `${service}.${instance}`, process: main }] : [],
  );
  return [...(daemon ? [{ who: 'the daemon', process: daemon }] : []), ...mains];
}

function findOpenFiles(limited: readonly Limited[]): Finding[] {
  const short = limited.filter(({ process: { limits, descriptors } }) => {
    return limits.openFiles < MIN_OPEN_FILES || descriptors.size > limits.openFiles * NEARLY;
  });
  if (short.length === 0) return [];
  const words = short.map(
    ({ who, process: { pid, descriptors, limits } }) =>
      `${who} (pid ${pid}) has ${descriptors.size} of ${limits.openFiles}`,
  );
  return [
    {
      id: 'open-files-limit',
      severity: 'warning',
      fact: `few open files are allowed: ${wordList(words)}`,
      evidence: {
        processes: short.map(({ who, process: { pid, descriptors, limits } }) => {
          return { who, pid, open: descriptors.size, limit: limits.openFiles };
        }),
      },
      command: 'ulimit -n $(ulimit -Hn) && upkeep daemon stop && upkeep daemon start && upkeep restart all',
    },
  ];
}

/** The kernel counts all processes of a user; root is exempt. */
function findProcesses({ processes }: Machine, limited: readonly Limited[]): Finding[] {
  const short = limited.filter(({ process: { uid, limits } }) => {
    return uid !== 0 && (limits.processes < MIN_PROCESSES || countOf(uid) > limits.processes * NEARLY);
  });
  if (short.length === 0) return [];
  const words = short.map(
    ({ who, process: { pid, uid, limits } }) =>
      `${who} (pid ${pid}, uid ${uid}) may have ${limits.processes}, its user has ${countOf(uid)}`,
  );
  return [
    {
      id: 'process-limit',
      severity: 'warning',
      fact: `few processes are allowed: ${wordList(words)}`,
      evidence: {
        processes: short.map(({ who, process: { pid, uid, limits } }) => {
          return { who, pid, uid, running: countOf(uid), limit: limits.processes };
        }),
      },
      command: 'ulimit -u $(ulimit -Hu) && upkeep daemon stop && upkeep daemon start && upkeep restart all',
    },
  ];

  function countOf(uid: number | undefined): number {
    return [...processes.values()].filter((process) => process.uid === uid).length;
  }
}
