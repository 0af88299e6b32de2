/** Merges the changes of a profile into a service or a group of them: maps key by key, everything else is replaced. */
import { isMap, type ParsedRelease, type ParsedService } from './schema.js';

/** Keys of which only one makes sense: a change to one of them ends the others. */
const OF_SERVICE = [
  ['script', 'command'],
  ['port', 'ports'],
];
const OF_PARTS = [
  ['port', 'http', 'log', 'command'],
  ['file', 'command'],
  ['restart', 'run'],
];

const OF_RELEASE = [...OF_PARTS, ['by', 'run'], ['haproxy', 'command']];

export function mergeService(base: ParsedService, change: ParsedService): ParsedService {
  return merge(base, change, { own: OF_SERVICE, inner: OF_PARTS });
}

/** Builds from somewhere else are said anew as a whole: what an address of one kind means, it does not mean to another. */
export function mergeRelease(base: ParsedRelease, change: ParsedRelease): ParsedRelease {
  const isElsewhere = change.source !== undefined && change.source.type !== base.source?.type;
  const merged: ParsedRelease = merge(base, change, { own: [], inner: OF_RELEASE });
  return isElsewhere && change.source ? { ...merged, source: change.source } : merged;
}

type Groups = readonly (readonly string[])[];

/** Keys that exclude each other: of the map itself, and of the maps in it. */
interface Exclusions {
  readonly own: Groups;
  readonly inner: Groups;
}

function merge(
  base: Record<string, unknown>,
  change: Record<string, unknown>,
  { own, inner }: Exclusions,
): Record<string, unknown> {
  const ended = own.filter((group) => group.some((key) => key in change)).flat();
  const result = Object.fromEntries(
    Object.entries(base).filter(([key]) => !ended.includes(key) || key in change),
  );
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? merge(before, value, { own: inner, inner }) : value;
  }
  return result;
}
