/** Jumps of the wall clock: times in the history are not in their order, or contradict the clock of the kernel. */
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { formatDuration } from '../../util/index.js';
import { wordTime } from '../words.js';

/** What a busy machine may take between two looks at the clock, and a time server may correct in small steps. */
const TOLERANCE_MS = 10_000;
const COMMAND = 'timedatectl set-ntp true';

export function findClock(machine: Machine): Finding[] {
  return [...findBackwards(machine), ...findMoved(machine)].slice(0, 1);
}

/** Events are numbered in the order in which they happened. */
function findBackwards({ home: { events } }: Machine): Finding[] {
  const jumps = events.flatMap((event, at) => {
    const before = events[at - 1];
    const backMs = before ? Date.parse(before.at) - Date.parse(event.at) : 0;
    return backMs > TOLERANCE_MS ? [{ backMs, from: before!.at, to: event.at, seq: event.seq }] : [];
  });
  const latest = jumps.at(-1);
  if (!latest) return [];
  return [
    {
      id: 'clock-jump',
      severity: 'warning',
      fact: `the wall clock went back by ${formatDuration(latest.backMs)}: event ${latest.seq} is of ${latest.to}, the one before of ${latest.from}`,
      evidence: { jumps },
      command: COMMAND,
    },
  ];
}

/** When a process began is known by the wall clock of that moment and, from the kernel, by the one of now. */
function findMoved({ home: { daemon, instances }, answer }: Machine): Finding[] {
  const seen = instances.flatMap(({ shim, startedAt }) =>
    startedAt ? [{ process: shim, at: startedAt }] : [],
  );
  if (daemon && answer.kind === 'answers')
    seen.push({ process: daemon, at: Date.parse(answer.daemon.startedAt) });
  const moved = seen.find(({ process, at }) => Math.abs(process.startedAt - at) > TOLERANCE_MS);
  if (!moved) return [];
  const { process, at } = moved;
  const byMs = process.startedAt - at;
  return [
    {
      id: 'clock-jump',
      severity: 'warning',
      fact: `the wall clock went ${byMs > 0 ? 'forward' : 'back'} by ${formatDuration(Math.abs(byMs))} since ${wordTime(at)}, when pid ${process.pid} began`,
      evidence: { pid: process.pid, beganAt: wordTime(at), byMs },
      command: COMMAND,
    },
  ];
}
