import type { Alerts } from '../../alerts/index.js';
import { UpkeepError, type RouteBody } from '../../protocol/index.js';
import type { Handlers } from '../server.js';

export function alertRoutes(alerts: Alerts): Pick<Handlers, 'alerts' | 'testAlerts'> {
  return {
    alerts: (exchange) => exchange.answer(alerts.list()),
    testAlerts: async (exchange) => {
      const { name } = (await exchange.body()) as RouteBody<'testAlerts'>;
      const known = alerts.list().map((alert) => alert.name);
      if (name !== null && !known.includes(name)) throw unknown(name, known);
      exchange.answer(await alerts.test(name));
    },
  };
}

function unknown(name: string, known: readonly string[]): UpkeepError {
  return new UpkeepError('alert-not-found', `Cannot test "${name}": there is no such alert`, {
    hint:
      known.length > 0
        ? `known: ${known.join(', ')}`
        : 'write alerts in the configuration file, see docs/alerts.md',
  });
}
