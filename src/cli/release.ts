/** Follows a release to its end and words how it went: the one path of every command that makes one. */
import { connectOrStart, hasEndedMidway, homeFrom, type Client } from '../client/index.js';
import { ERRORS, type ErrorCode, type ReleaseView } from '../protocol/index.js';
import { onInterruption } from './interruption.js';
import { printFailure } from './output/error.js';
import { note, print, printJson } from './output/print.js';
import { formatReleaseEnd, unfinishedRelease } from './output/release.js';
import { createReleaseProgress, SILENT_RELEASE } from './output/release-progress.js';

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
  let last: ReleaseView | undefined;
  try {
    for await (const view of ask(client, interruption.signal)) {
      last = view;
      if (options.detach) break;
      progress.show(view);
    }
  } catch (error) {
    if (!last || !hasEndedMidway(error)) throw error;
  } finally {
    progress.end();
  }
  if (!last) return interruption.exitCode;
  if (options.detach) return printAccepted(last, options);
  if (last.finishedAt === null && interruption.signal.aborted) {
    note(unfinishedRelease(last));
    return interruption.exitCode;
  }
  return reportRelease(last.finishedAt === null ? await untilReleaseEnded(client, last.id) : last, options);
}

/** The daemon may go away midway; the next one takes the release over from its journal. */
export async function untilReleaseEnded(client: Client, id: string): Promise<ReleaseView> {
  for (;;) {
    try {
      return await client.call('release', { params: { id }, query: { wait: '1' }, timeoutMs: 0 });
    } catch (error) {
      if (!hasEndedMidway(error)) throw error;
    }
  }
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
