import { CLIENT_PID_HEADER, type RouteBody } from '../../protocol/index.js';
import { hasEnded, type Supervisor } from '../../supervisor/index.js';
import type { Handlers } from '../server.js';

const LISTED = 50;

export function operationRoutes(
  supervisor: Supervisor,
): Pick<Handlers, 'operations' | 'operation' | 'request'> {
  const { operations } = supervisor;
  return {
    operations: (exchange) => exchange.answer(operations.list(exchange.number('limit', LISTED))),
    operation: async (exchange) => {
      const id = exchange.params.id!;
      exchange.answer(exchange.isSet('wait') ? await operations.untilEnded(id) : operations.find(id));
    },
    request: async (exchange) => {
      const body = (await exchange.body()) as RouteBody<'request'>;
      const pid = Number(exchange.header(CLIENT_PID_HEADER));
      const { id } = await supervisor.request(body, Number.isInteger(pid) ? pid : undefined);
      let unfollow = (): void => undefined;
      const stream = exchange.stream(() => unfollow());
      unfollow = operations.follow(id, (view) => {
        stream.send(view);
        if (hasEnded(view)) stream.end();
      });
    },
  };
}
