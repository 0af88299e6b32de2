/** What every part of the supervisor needs from outside, made once by the composition root. */
import { join } from 'node:path';
import type { NewEvent } from '../protocol/index.js';
import type { Clock } from '../system/index.js';

export interface SupervisorContext {
  readonly home: string;
  readonly clock: Clock;
  readonly emit: (event: NewEvent) => void;
  /** From [0, 1). */
  readonly random: () => number;
}

/** One folder per attempt; the name is what the shim reports under. */
export function runName(service: string, instance: number, attempt: number): string {
  return `${service}.${instance}.${attempt}`;
}

export function parseRunName(
  name: string,
): { service: string; instance: number; attempt: number } | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)$/.exec(name);
  return match ? { service: match[1]!, instance: Number(match[2]), attempt: Number(match[3]) } : undefined;
}

export const runFolder = (home: string): string => join(home, 'run');
export const eventsPath = (home: string): string => join(home, 'run', 'events');
export const logFolder = (home: string): string => join(home, 'logs');
