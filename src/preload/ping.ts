/** That this is answered at all says that the event loop turns. */
import type { PingAnswer } from '../protocol/index.js';

type Listing = { getActiveResourcesInfo?: () => string[] };

export function answerPing(isAsked: boolean): PingAnswer {
  const handlers = process.listenerCount('SIGUSR1');
  if (!isAsked) return { ok: true, handlers };
  const { getActiveResourcesInfo } = process as Listing;
  return {
    ok: true,
    handlers,
    resources: getActiveResourcesInfo ? getActiveResourcesInfo.call(process) : [],
  };
}
