/** That this is answered at all says that the event loop turns. */
import type { PingAnswer } from '../protocol/index.js';

type Listing = { getActiveResourcesInfo?: () => string[] };

export function answerPing(isAsked: boolean): PingAnswer {
  const handlers = process.listenerCount('SIGUSR1');
  if (!isAsked) return { ok: true, handlers };
  const { getActiveResourcesInfo } = process as Listing;
  const kinds = getActiveResourcesInfo ? getActiveResourcesInfo.call(process) : [];
  return { ok: true, handlers, resources: countKinds(kinds) };
}

/** Counted here: the answer is written in one go, and there may be a hundred thousand of them. */
function countKinds(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] || 0) + 1;
  return counts;
}
