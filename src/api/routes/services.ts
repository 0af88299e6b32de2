import type { Supervisor } from '../../supervisor/index.js';
import type { RouteBody } from '../../protocol/index.js';
import type { Handlers } from '../server.js';

export function serviceRoutes(
  supervisor: Supervisor,
): Pick<Handlers, 'services' | 'service' | 'environment' | 'diff'> {
  return {
    services: (exchange) => exchange.answer(supervisor.list()),
    service: (exchange) => exchange.answer(supervisor.show(exchange.params.name!)),
    environment: async (exchange) =>
      exchange.answer(await supervisor.environment(exchange.params.name!, exchange.isSet('reveal'))),
    diff: async (exchange) => {
      const { services } = (await exchange.body()) as RouteBody<'diff'>;
      exchange.answer(supervisor.diff(services));
    },
  };
}
