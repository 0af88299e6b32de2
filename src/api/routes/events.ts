import type { UpkeepEvent } from '../../protocol/index.js';
import type { EventStore } from '../../store/index.js';
import type { Handlers } from '../server.js';

const LISTED = 50;

export function eventRoutes(events: EventStore): Pick<Handlers, 'events'> {
  return {
    events: (exchange) => {
      const service = exchange.query.get('service');
      const isAsked = (event: UpkeepEvent): boolean => service === null || concerns(event, service);
      let unsubscribe = (): void => undefined;
      const limit = exchange.number('limit', LISTED);
      const stream = exchange.stream(() => unsubscribe());
      const past = events.recent(Infinity).filter(isAsked);
      for (const event of limit === 0 ? [] : past.slice(-limit)) stream.send(event);
      if (!exchange.isSet('follow')) return stream.end();
      unsubscribe = events.subscribe((event) => {
        if (isAsked(event)) stream.send(event);
      });
    },
  };
}

function concerns(event: UpkeepEvent, service: string): boolean {
  if ('service' in event) return event.service === service;
  return event.type === 'operation' && event.services.includes(service);
}
