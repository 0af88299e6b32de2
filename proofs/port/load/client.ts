/** What every kind of client is given, and how it keeps its pace. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorder } from './recorder.js';

export interface ClientContext {
  readonly recorder: Recorder;
  readonly port: number;
  readonly timeoutMs: number;
  /** Aborted when no new request shall be made; those on their way go on. */
  readonly stopping: AbortSignal;
}

/** Runs until it is told to stop, and then until everything that it had begun is settled. */
export type RunClient<D> = (description: D, context: ClientContext) => Promise<void>;

/** After a failure: whatever it was, nobody asks at an unbounded rate. */
const REST_MS = 20;
const TICK_MS = 5;

/** Several users, each of whom asks, thinks and asks again. */
export async function runUsers(
  { stopping }: ClientContext,
  { clients, thinkMs }: { clients: number; thinkMs: number },
  createUser: () => User,
): Promise<void> {
  const runUser = async (): Promise<void> => {
    const user = createUser();
    await pause(Math.random() * thinkMs, stopping); // not all at once
    while (!stopping.aborted) {
      const isAnswered = await user.ask();
      await pause(Math.max(thinkMs * (0.5 + Math.random()), isAnswered ? 0 : REST_MS), stopping);
    }
    user.leave?.();
  };
  await Promise.all(Array.from({ length: clients }, runUser));
}

export interface User {
  /** Answers whether all was well. */
  ask(): Promise<boolean>;
  leave?(): void;
}

/** Calls so many times a second, whatever becomes of it; a late tick makes up for what it has missed. */
export async function runAtRate(perSecond: number, stopping: AbortSignal, call: () => void): Promise<void> {
  const startedAt = performance.now();
  let called = 0;
  while (!stopping.aborted) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; called < due; called++) call();
    await pause(TICK_MS, stopping);
  }
}

/** Cut short by the stop. */
export async function pause(ms: number, stopping: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stopping }).catch(() => undefined); // the signal is looked at by the caller
}
