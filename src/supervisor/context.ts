/** What every part of the supervisor needs from outside, made once by the composition root. */
import { join } from 'node:path';
import type { NewEvent } from '../protocol/index.js';
import type { Explainer } from '../forensics/index.js';
import type { Clock, Launcher } from '../system/index.js';
import type { ProbeClock } from './probe-times.js';
import type { Held } from './service-sockets.js';

export interface SupervisorContext {
  readonly home: string;
  readonly clock: Clock;
  readonly emit: (event: NewEvent) => void;
  /** Bugs: logged with their stack. */
  readonly onInternalError: (error: unknown) => void;
  /** From [0, 1). */
  readonly random: () => number;
  readonly launcher: Launcher;
  /** Says why attempts ended. */
  readonly explainer: Explainer;
  readonly probes: ProbeClock;
  /** By service: what the launcher held already when this daemon took it over. */
  readonly heldSockets: Readonly<Record<string, readonly Held[]>>;
}

/**
 * One folder per attempt; its name is what the shim reports under. The time of the spawn makes it unique, also when a
 * service is deleted and created again.
 */
export function runName(service: string, instance: number, attempt: number, at: Date): string {
  return `${service}.${instance}.${attempt}.${at.getTime().toString(36)}`;
}

export interface RunId {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
}

export function parseRunName(name: string): RunId | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)\.[0-9a-z]+$/.exec(name);
  return match ? { service: match[1]!, instance: Number(match[2]), attempt: Number(match[3]) } : undefined;
}

export const runFolder = (home: string): string => join(home, 'run');
export const eventsPath = (home: string): string => join(home, 'run', 'events');
export const logFolder = (home: string): string => join(home, 'logs');
