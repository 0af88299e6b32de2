/** What the machine, or the container, has left for whoever needs more. */
import { freemem } from 'node:os';
import { readMemoryGroup } from './cgroup.js';

/** `usedBytes`: by all who share the control group of this process, as far as known. */
export function memoryLeft(usedBytes: number): number {
  const limit = readMemoryGroup(process.pid)?.limitBytes ?? null;
  const left = freemem(); // what Linux calls available: caches that it could drop are no loss
  return limit === null ? left : Math.max(0, Math.min(left, limit - usedBytes));
}
