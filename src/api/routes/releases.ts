import type { ReleaseView, RouteBody } from '../../protocol/index.js';
import type { Releases } from '../../release/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { Exchange } from '../exchange.js';
import type { Handlers } from '../server.js';
import { clientPid } from './operations.js';

/** Of each group; of waived checks, in all. */
const LISTED = 50;

export function releaseRoutes(
  releases: Releases,
  supervisor: Pick<Supervisor, 'identify'>,
): Pick<Handlers, 'releases' | 'release' | 'waivedChecks' | 'requestRelease' | 'rollback' | 'abortRelease'> {
  const requester = (exchange: Exchange) => supervisor.identify(clientPid(exchange));
  const stream = (exchange: Exchange, { id }: ReleaseView): void => {
    let unfollow = (): void => undefined;
    const events = exchange.stream(() => unfollow());
    unfollow = releases.follow(id, (view) => {
      events.send(view);
      if (view.finishedAt !== null) events.end();
    });
    // One that had ended already has told all of it.
    if (releases.find(id).finishedAt !== null) unfollow();
  };
  return {
    releases: (exchange) => exchange.answer(releases.groups(exchange.number('limit', LISTED))),
    release: async (exchange) => {
      const id = exchange.params.id!;
      exchange.answer(exchange.isSet('wait') ? await releases.untilEnded(id) : releases.find(id));
    },
    waivedChecks: (exchange) =>
      exchange.answer(
        releases.waived(exchange.number('limit', LISTED), exchange.query.get('group') ?? undefined),
      ),
    requestRelease: async (exchange) => {
      const body = (await exchange.body()) as RouteBody<'requestRelease'>;
      stream(exchange, await releases.request(body, requester(exchange)));
    },
    rollback: async (exchange) => {
      const body = (await exchange.body()) as RouteBody<'rollback'>;
      stream(exchange, await releases.rollback(body, requester(exchange)));
    },
    abortRelease: (exchange) => exchange.answer(releases.abort(exchange.params.id!, requester(exchange))),
  };
}
