import type { KnownErrors } from '../../logs/index.js';
import type { Releases } from '../../release/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { RouteBody, ServiceView } from '../../protocol/index.js';
import type { Handlers } from '../server.js';

export function serviceRoutes(
  supervisor: Supervisor,
  errors: KnownErrors,
  releases: Pick<Releases, 'settle'>,
): Pick<Handlers, 'services' | 'service' | 'why' | 'tree' | 'environment' | 'diff'> {
  const withErrors = <T extends ServiceView>(view: T): T => {
    const newErrors = errors.countNew(view.name);
    return newErrors === 0 ? view : { ...view, newErrors };
  };
  return {
    services: (exchange) => exchange.answer(supervisor.list().map(withErrors)),
    service: (exchange) => exchange.answer(withErrors(supervisor.show(exchange.params.name!))),
    why: (exchange) =>
      exchange.answer(
        supervisor.why(exchange.params.name!, {
          instance: exchange.optionalNumber('instance'),
          attempt: exchange.optionalNumber('attempt'),
          limit: exchange.number('limit', 1),
        }),
      ),
    tree: (exchange) => exchange.answer(supervisor.tree(exchange.query.getAll('service'))),
    environment: async (exchange) =>
      exchange.answer(await supervisor.environment(exchange.params.name!, exchange.isSet('reveal'))),
    diff: async (exchange) => {
      const { services } = (await exchange.body()) as RouteBody<'diff'>;
      exchange.answer(supervisor.diff(releases.settle(services, { isLenient: true })));
    },
  };
}
