/** Merges the changes of a profile into a service: maps key by key, everything else is replaced. */
import { isMap, type ParsedService } from './schema.js';

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

export function mergeService(base: ParsedService, change: ParsedService): ParsedService {
  return merge(base, change, OF_SERVICE);
}

type Groups = readonly (readonly string[])[];

function merge(base: Record<string, unknown>, change: Record<string, unknown>, groups: Groups) {
  const ended = groups.filter((group) => group.some((key) => key in change)).flat();
  const result = Object.fromEntries(
    Object.entries(base).filter(([key]) => !ended.includes(key) || key in change),
  );
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? merge(before, value, OF_PARTS) : value;
  }
  return result;
}
