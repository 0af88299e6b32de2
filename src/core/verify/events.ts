/** Decides about what happened to new instances, where there is nothing to compare: ends, memory, new kinds of errors. */
import { formatBytes, formatDuration } from '../../util/index.js';
import { many } from './figures.js';
import type { GateSpec } from './gate.js';
import type { NewErrorKind } from './look.js';
import { findMemoryRise } from './memory-rise.js';
import { verdictOf, type Finding } from './rule.js';
import type { ServiceSummary } from './summary.js';

/** A stack of errors is no table: the others are counted. */
const MAX_KINDS = 10;

export function judgeRestarts({ service, new: young }: ServiceSummary): readonly Finding[] {
  const name = 'restarts';
  const fallen = young.instances.filter(({ restarts, ended }) => restarts > 0 || ended !== null);
  if (fallen.length === 0) {
    const text = `${service}: none of ${many(young.instances.length, 'new instance')} has ended`;
    return young.instances.length > 0 ? [{ name, verdict: 'passed', text }] : [];
  }
  return fallen.map(({ name: instance, restarts, ended }) => {
    const fact = ended === null ? `was restarted ${many(restarts, 'time')}` : `has ended: ${ended}`;
    return {
      name,
      verdict: 'failed',
      text: `${service}.${instance}, new, ${fact}`,
      hint: `upkeep why ${service}`,
    };
  });
}

export function judgeMemory(
  { service, old, new: young }: ServiceSummary,
  { memory }: GateSpec,
): readonly Finding[] {
  if (memory === 'ignore' || young.memory.size === 0) return [];
  const name = 'memory';
  const before = [...old.memory.values()];
  const bad = [...young.memory].flatMap(([instance, points]): Finding[] => {
    const rise = findMemoryRise(points, before);
    if (!rise) return [];
    const { fromBytes, toBytes, overMs } = rise;
    const pace = `${formatBytes(Math.round(((toBytes - fromBytes) / overMs) * 1000))} a second`;
    const grew = `grew from ${formatBytes(fromBytes)} to ${formatBytes(toBytes)} within ${formatDuration(overMs)}`;
    const text = `${service}.${instance}, new, ${grew} (${pace}) and goes on${beside(old)}`;
    return [{ name, verdict: verdictOf(memory), text }];
  });
  if (bad.length > 0) return bad;
  const most = formatBytes(Math.max(...[...young.memory.values()].map(highest)));
  return [{ name, verdict: 'passed', text: `${service}: ${most} at most${beside(old)}` }];
}

function beside({ memory }: ServiceSummary['old']): string {
  if (memory.size === 0) return '';
  return `; old ones ${formatBytes(Math.max(...[...memory.values()].map(highest)))} at most`;
}

function highest(points: readonly { readonly bytes: number }[]): number {
  return Math.max(0, ...points.map(({ bytes }) => bytes));
}

/** Kinds that only old instances had are told, too: what the new ones did to a database may hurt them. */
export function judgeKinds(
  { service, kinds }: Pick<ServiceSummary, 'service' | 'kinds'>,
  { newErrors }: Pick<GateSpec, 'newErrors'>,
): readonly Finding[] {
  if (newErrors === 'ignore') return [];
  const name = 'new errors';
  if (kinds.length === 0) return [{ name, verdict: 'passed', text: `${service}: no new kind of error` }];
  const ours = kinds.filter(isOurs).toSorted((a, b) => b.count - a.count);
  const theirs = kinds.filter((kind) => !isOurs(kind));
  const told = ours.slice(0, MAX_KINDS).map((kind) => tellKind(service, kind, verdictOf(newErrors)));
  const others = theirs.slice(0, MAX_KINDS).map((kind) => tellKind(service, kind, 'warned'));
  if (ours.length <= MAX_KINDS) return [...told, ...others];
  const text = `${service}: ${many(ours.length - MAX_KINDS, 'more new kind')} of errors`;
  return [
    ...told,
    { name, verdict: verdictOf(newErrors), text, hint: `upkeep errors ${service} --new` },
    ...others,
  ];
}

/** What old and new ones have begun to say at the same time is not what sets them apart. */
function isOurs({ by }: NewErrorKind): boolean {
  return by === 'new' || by === 'unknown';
}

function tellKind(service: string, kind: NewErrorKind, verdict: Finding['verdict']): Finding {
  const { id, title, count, firstLine, by } = kind;
  const where = firstLine === null ? '' : `, ${firstLine}`;
  const whose =
    by === 'new' || by === 'unknown'
      ? ''
      : by === 'both'
        ? ', of old and new instances'
        : ', of old instances';
  const text = `${service}: ${title}${where}, ${many(count, 'time')}${whose}`;
  return { name: 'new errors', verdict, text, hint: `upkeep errors show ${id}`, kind: id };
}
