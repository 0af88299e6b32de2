/** Follows a release to its end and words how it went: the one path of every command that makes one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectOrStart, hasEndedMidway, homeFrom, type Client } from '../client/index.js';
import { ERRORS, type ErrorCode, type ReleaseView } from '../protocol/index.js';
import { onInterruption } from './interruption.js';
import { printFailure } from './output/error.js';
import { note, print, printJson } from './output/print.js';
import { formatReleaseEnd, unfinishedRelease } from './output/release.js';
import { createReleaseProgress, SILENT_RELEASE, type ReleaseProgress } from './output/release-progress.js';

const LOOK_AGAIN_MS = 200;

export interface ReleaseOptions {
  readonly detach?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export async function followRelease(
  ask: (client: Client, signal: AbortSignal) => AsyncIterable<ReleaseView>,
  options: ReleaseOptions,
): Promise<number> {
  const client = connectOrStart(homeFrom(process.env));
  const interruption = onInterruption();
  const progress = options.json || options.detach ? SILENT_RELEASE : createReleaseProgress(process.stderr);
  const { signal } = interruption;
  let last: ReleaseView | undefined;
  try {
    last = await hear(ask(client, signal), (view) => {
      progress.show(view);
      return !options.detach;
    });
    if (last && !options.detach) last = await untilReleaseEnded(client, last, { progress, signal });
  } finally {
    progress.end();
  }
  if (!last) return interruption.exitCode;
  if (options.detach) return printAccepted(last, options);
  if (last.finishedAt !== null) return reportRelease(last, options);
  note(unfinishedRelease(last));
  return interruption.exitCode;
}

/** As long as `show` wants more, and the daemon lives; answers what was heard last. */
async function hear(
  views: AsyncIterable<ReleaseView>,
  show: (view: ReleaseView) => boolean,
): Promise<ReleaseView | undefined> {
  let last: ReleaseView | undefined;
  try {
    for await (const view of views) {
      last = view;
      if (!show(view)) break;
    }
  } catch (error) {
    if (!last || !hasEndedMidway(error)) throw error;
  }
  return last;
}

interface EndWish {
  readonly progress?: ReleaseProgress;
  /** Nobody waits any more. */
  readonly signal?: AbortSignal;
}

/** The daemon may go away midway; the next one takes the release over from its journal. */
export async function untilReleaseEnded(
  client: Client,
  view: ReleaseView,
  { progress = SILENT_RELEASE, signal }: EndWish = {},
): Promise<ReleaseView> {
  while (view.finishedAt === null && !signal?.aborted) {
    await sleep(LOOK_AGAIN_MS);
    try {
      view = await client.call('release', { params: { id: view.id } });
      progress.show(view);
    } catch (error) {
      if (!hasEndedMidway(error)) throw error;
    }
  }
  return view;
}

export function reportRelease(view: ReleaseView, { json }: ReleaseOptions): number {
  if (json) printJson(view);
  else {
    if (view.failure) printFailure(view.failure);
    for (const text of view.notes) note(`Note: ${text}`);
    print(formatReleaseEnd(view));
  }
  return exitCodeOf(view);
}

function printAccepted(view: ReleaseView, { json }: ReleaseOptions): number {
  if (json) printJson(view);
  else print(view.id);
  return 0;
}

function exitCodeOf({ status, failure }: ReleaseView): number {
  if (status === 'succeeded') return 0;
  const code = failure?.code ?? (status === 'aborted' ? 'aborted' : 'release-failed');
  return code in ERRORS ? ERRORS[code as ErrorCode].exit : ERRORS.internal.exit;
}
