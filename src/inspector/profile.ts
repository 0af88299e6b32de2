/** CPU profiles and heap snapshots of a running Node process, in the files that Chrome DevTools opens. */
import { writeSync } from 'node:fs';
import { openInspector } from './open.js';
import type { InspectorSession } from './session.js';
import type { ProfileTarget } from './profile-target.js';

export type ProfileKind = 'cpu' | 'heap';

export interface ProfileWish {
  readonly kind: ProfileKind;
  /** Of a CPU profile, milliseconds. */
  readonly durationMs: number;
  /** Open for writing. */
  readonly fd: number;
  /** Ends a CPU profile early; what there is by then is written. */
  readonly signal: AbortSignal;
}

/** Answers how many bytes were written. Rejects with an `InspectorError` where the process cannot be asked. */
export async function takeProfile({ process }: ProfileTarget, wish: ProfileWish): Promise<number> {
  const inspector = await openInspector(process, { timeoutMs: OPEN_MS });
  try {
    return await (wish.kind === 'cpu' ? takeCpu : takeHeap)(inspector.session, wish);
  } finally {
    await inspector.close();
  }
}

/** A busy process takes its time. */
const OPEN_MS = 10_000;

async function takeCpu(session: InspectorSession, wish: ProfileWish): Promise<number> {
  await session.ask('Profiler.enable');
  await session.ask('Profiler.start');
  await pause(wish.durationMs, wish.signal);
  const { profile } = await session.ask('Profiler.stop');
  return writeWhole(wish.fd, JSON.stringify(profile));
}

async function takeHeap(session: InspectorSession, { fd }: ProfileWish): Promise<number> {
  let bytes = 0;
  // At once, so that a snapshot of gigabytes is never held here.
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => {
    bytes += writeWhole(fd, String(chunk));
  });
  await session.ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return bytes;
}

/** One call may take less than all, as where the disk is about to be full. Answers how many bytes there were. */
function writeWhole(fd: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  return bytes.length;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
