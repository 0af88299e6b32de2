/** Services that do not stay up. */
import type { UpkeepEvent } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';

const WINDOW_MS = 3_600_000;
const OFTEN = 5;

type Exit = Extract<UpkeepEvent, { type: 'instance-exited' }>;

export function findRestarts(machine: Machine): Finding[] {
  return machine.home.services
    .filter(({ isWanted, spec }) => isWanted && !spec.schedule?.run)
    .flatMap(({ spec: { name } }) => judge(machine, name));
}

function judge(machine: Machine, service: string): Finding[] {
  const { home, now } = machine;
  const events = home.events.filter((event) => 'service' in event && event.service === service);
  const exits = events.filter((event): event is Exit => event.type === 'instance-exited');
  const ends = exits.filter((event) => !wasAskedFor(event) && now - Date.parse(event.at) < WINDOW_MS).length;
  const last = exits.at(-1);
  const status = statusOf(machine, service, events);
  const why = last ? `, last: ${last.exit.reason} after ${formatDuration(last.exit.livedMs)}` : '';
  const evidence = { service, status, ends, exit: last?.exit.reason ?? null, at: last?.at ?? null };
  const command = `upkeep logs ${service} -n 100 && upkeep show ${service}`;
  if (status === 'crashed') {
    const fact = `"${service}" is in a crash loop, it ended ${ends} times within the last hour${why}`;
    return [{ id: 'crash-loop', severity: 'error', fact, evidence, command }];
  }
  if (ends < OFTEN && status !== 'waiting') return [];
  const waits = status === 'waiting' ? ' and waits for its next start' : '';
  const fact = `"${service}" ended ${ends} times within the last hour${waits}${why}`;
  return [{ id: 'restarts-often', severity: 'warning', fact, evidence, command }];
}

/** By a person; what upkeep does for a memory limit or a failed check is no less a restart. */
function wasAskedFor({ exit: { askedBy } }: Exit): boolean {
  return askedBy?.startsWith('operation') ?? false;
}

/** As the daemon has it; without one, what it said last. */
function statusOf({ answer }: Machine, service: string, events: readonly UpkeepEvent[]): string | null {
  if (answer.kind === 'answers') return answer.services.find(({ name }) => name === service)?.status ?? null;
  const last = events.findLast((event) => event.type === 'instance-status');
  return last?.type === 'instance-status' ? last.to : null;
}
