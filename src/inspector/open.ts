/**
 * Opens the inspector of a Node process from outside: SIGUSR1, which works even while its only thread never comes back
 * from a loop. It listens on the loopback alone, on a free port where upkeep's preload has asked for one, and is closed again.
 */
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  freeDescriptors,
  handlesSignal,
  interruptibleWait,
  loopbackPorts,
  sendSignal,
  type ProcessId,
} from '../system/index.js';
import { InspectorSession } from './session.js';

export interface OpenInspector {
  readonly session: InspectorSession;
  /** Somebody had opened it before, and it stays open. */
  readonly wasOpen: boolean;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** @default 3000 */
  readonly timeoutMs?: number;
  /** Called right before the signal is sent. */
  readonly onSignal?: () => void;
}

const TIMEOUT_MS = 3000;
const POLL_MS = 10;
const ANSWER_MS = 500;

/** Why not, for a person; the process goes on as it was. */
export class InspectorError extends Error {}

/** Rejects with an `InspectorError`. The process must be one of Node: others end by SIGUSR1 where they do not expect it. */
export async function openInspector(
  process: ProcessId,
  { timeoutMs = TIMEOUT_MS, onSignal }: OpenOptions = {},
): Promise<OpenInspector> {
  const before = loopbackPorts(process.pid);
  if (!before) throw new InspectorError('it has ended, or belongs to another user');
  // Nobody who does not expect this signal survives it.
  if (!handlesSignal(process.pid, SIGUSR1)) throw new InspectorError('it does not listen for SIGUSR1');
  if (freeDescriptors(process.pid) < NEEDED_FILES) throw new InspectorError('it has no descriptors left');
  const deadline = performance.now() + timeoutMs;
  await untilNotInterruptible(process.pid, deadline);
  onSignal?.();
  if (!sendSignal(process, 'SIGUSR1')) throw new InspectorError('it cannot be sent a signal');
  const fresh = await untilPort(process.pid, before, deadline);
  const url = fresh ?? (await firstUrl(before));
  if (url === undefined) throw new InspectorError(`its inspector did not open within ${timeoutMs} ms`);
  const session = await InspectorSession.connect(url).catch((error: unknown) => {
    throw new InspectorError((error as Error).message);
  });
  const wasOpen = fresh === undefined;
  const close = async (): Promise<void> => {
    if (!wasOpen) await session.closeInspector();
    session.close();
  };
  return { session, wasOpen, close };
}

const SIGUSR1 = 10;
/** Node aborts where the thread of its inspector does not get its own. */
const NEEDED_FILES = 32;

/**
 * Node handles SIGUSR1 in whatever its main thread is doing: a readSync() of a FIFO would throw EINTR, and its application end by that.
 * Nothing could be asked there anyway, because the inspector answers only between two steps of JavaScript.
 */
async function untilNotInterruptible(pid: number, deadline: number): Promise<void> {
  for (;;) {
    const place = interruptibleWait(pid);
    if (place === undefined) return;
    if (performance.now() >= deadline)
      throw new InspectorError(`it waits in ${place}, which the signal would interrupt`);
    await delay(POLL_MS);
  }
}

/** The inspector behind the first port that was not there before. */
async function untilPort(
  pid: number,
  before: ReadonlySet<number>,
  deadline: number,
): Promise<string | undefined> {
  while (performance.now() < deadline) {
    const fresh = [...(loopbackPorts(pid) ?? [])].filter((port) => !before.has(port));
    const url = await firstUrl(new Set(fresh));
    if (url !== undefined) return url;
    await delay(POLL_MS);
  }
  return undefined;
}

async function firstUrl(ports: ReadonlySet<number>): Promise<string | undefined> {
  const urls = await Promise.all([...ports].map(inspectorUrl));
  return urls.find((url) => url !== undefined);
}

/** undefined: whoever listens there is no inspector. */
function inspectorUrl(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/json/list', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(findUrl(text)));
      response.on('error', () => resolve(undefined));
    });
    request.setTimeout(ANSWER_MS, () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

function findUrl(text: string): string | undefined {
  try {
    const [target] = JSON.parse(text) as { webSocketDebuggerUrl?: string }[];
    return target?.webSocketDebuggerUrl;
  } catch {
    return undefined; // an answer of something else
  }
}
