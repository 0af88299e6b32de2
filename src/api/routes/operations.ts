import { CLIENT_PID_HEADER, type RouteBody } from '../../protocol/index.js';
import type { Releases } from '../../release/index.js';
import { hasEnded, type Supervisor } from '../../supervisor/index.js';
import type { Exchange } from '../exchange.js';
import type { Handlers } from '../server.js';

const LISTED = 50;

export function operationRoutes(
  supervisor: Supervisor,
  releases: Pick<Releases, 'settle'>,
): Pick<Handlers, 'operations' | 'operation' | 'abort' | 'request'> {
  const { operations } = supervisor;
  return {
    operations: (exchange) => exchange.answer(operations.list(exchange.number('limit', LISTED))),
    operation: async (exchange) => {
      const id = exchange.params.id!;
      exchange.answer(exchange.isSet('wait') ? await operations.untilEnded(id) : operations.find(id));
    },
    abort: (exchange) => exchange.answer(supervisor.abort(exchange.params.id!, clientPid(exchange))),
    request: async (exchange) => {
      const body = (await exchange.body()) as RouteBody<'request'>;
      const settled = body.kind === 'up' ? { ...body, services: releases.settle(body.services) } : body;
      const { id } = await supervisor.request(settled, clientPid(exchange));
      let unfollow = (): void => undefined;
      const stream = exchange.stream(() => unfollow());
      unfollow = operations.follow(id, (view) => {
        stream.send(view);
        if (hasEnded(view)) stream.end();
      });
    },
  };
}

export function clientPid(exchange: Exchange): number | undefined {
  const pid = Number(exchange.header(CLIENT_PID_HEADER));
  return Number.isInteger(pid) ? pid : undefined;
}
