/** Asks for an operation, follows it to its end and words how it went: the one path of every command that changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectOrStart, hasEndedMidway, homeFrom, type Client } from '../client/index.js';
import {
  ERRORS,
  type ErrorCode,
  type OperationRequest,
  type OperationView,
  type ServiceView,
} from '../protocol/index.js';
import { onInterruption } from './interruption.js';
import { failuresOf, notesOf, summarize, unfinished } from './output/operation.js';
import { printFailure } from './output/error.js';
import { note, print, printJson } from './output/print.js';
import { createProgress, SILENT } from './output/progress.js';

export interface OperationOptions {
  readonly detach?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Show the services afterwards. */
  readonly showServices?: boolean;
  /** Look once more this long after the start: what ends at once was no success, also where no rule says so. */
  readonly settleMs?: number;
}

export async function requestOperation(
  request: OperationRequest,
  options: OperationOptions,
  client: Client = connectOrStart(homeFrom(process.env)),
): Promise<number> {
  const interruption = onInterruption();
  const operation = await follow(client, request, options, interruption.signal);
  if (!operation) return interruption.exitCode;
  if (options.detach) return printAccepted(operation, options);
  if (!hasEnded(operation) && interruption.signal.aborted) {
    note(unfinished(operation));
    return interruption.exitCode;
  }
  return reportEnd(client, operation, options);
}

/** What is known of the operation at last; undefined if it was interrupted before it was accepted. */
async function follow(
  client: Client,
  request: OperationRequest,
  { detach, json }: OperationOptions,
  signal: AbortSignal,
): Promise<OperationView | undefined> {
  const progress = json || detach ? SILENT : createProgress(process.stderr);
  let last: OperationView | undefined;
  try {
    for await (const operation of client.stream('request', { body: request, signal })) {
      last = operation;
      if (detach) return last;
      progress.show(operation);
    }
  } catch (error) {
    if (!last || !hasEndedMidway(error)) throw error;
  } finally {
    progress.end();
  }
  if (!last || hasEnded(last) || signal.aborted) return last;
  return untilEnded(client, last.id);
}

/** The daemon went away midway; the next one takes the operation over from its journal. */
async function untilEnded(client: Client, id: string): Promise<OperationView> {
  for (;;) {
    try {
      return await client.call('operation', { params: { id }, query: { wait: '1' }, timeoutMs: 0 });
    } catch (error) {
      if (!hasEndedMidway(error)) throw error;
    }
  }
}

export function hasEnded({ status }: OperationView): boolean {
  return status === 'succeeded' || status === 'failed';
}

function printAccepted(operation: OperationView, { json }: OperationOptions): number {
  if (json) printJson(operation);
  else print(operation.id);
  return 0;
}

export async function reportEnd(
  client: Client,
  operation: OperationView,
  { json, showServices, settleMs }: OperationOptions,
): Promise<number> {
  if (json) {
    printJson(operation);
    return exitCodeOf(operation);
  }
  for (const failure of failuresOf(operation)) printFailure(failure);
  for (const text of notesOf(operation)) note(`Note: ${text}`);
  if (operation.status === 'succeeded') print(summarize(operation));
  if (!showServices) return exitCodeOf(operation);
  if (settleMs !== undefined && operation.status === 'succeeded') await settle(operation, settleMs);
  const services = await concernedServices(client, operation);
  const { endedEarly } = await import('./output/exit.js');
  const failure = settleMs === undefined ? undefined : endedEarly(services, operation);
  if (failure) printFailure(failure);
  const { formatServices } = await import('./output/service.js');
  if (services.length > 0) print(formatServices(services, Date.now()));
  return failure ? ERRORS['start-failed'].exit : exitCodeOf(operation);
}

function settle({ startedAt, acceptedAt }: OperationView, settleMs: number): Promise<void> {
  return delay(Math.max(0, Date.parse(startedAt ?? acceptedAt) + settleMs - Date.now()));
}

async function concernedServices(client: Client, { steps }: OperationView): Promise<ServiceView[]> {
  const concerned = new Set(steps.map(({ service }) => service));
  return (await client.call('services')).filter(({ name }) => concerned.has(name));
}

function exitCodeOf({ status, steps }: OperationView): number {
  if (status !== 'failed') return 0;
  const code = steps.find((step) => step.status === 'failed')?.failure?.code ?? 'internal';
  return code in ERRORS ? ERRORS[code as ErrorCode].exit : ERRORS.internal.exit;
}
