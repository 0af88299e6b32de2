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
      const past = events.recent(Infinity);
      for (const event of limit === 0 ? [] : past.filter(isAsked).slice(-limit)) stream.send(event);
      if (!exchange.isSet('follow')) return stream.end();
      let told = past.at(-1)?.seq ?? 0;
      // Who does not read costs no memory: when it reads on, it gets what is still known.
      const tell = (): void => {
        if (stream.isFull()) return;
        for (const event of events.since(told)) {
          told = event.seq;
          if (isAsked(event)) stream.send(event);
        }
      };
      stream.onDrained(tell);
      unsubscribe = events.subscribe(tell);
    },
  };
}

function concerns(event: UpkeepEvent, service: string): boolean {
  if ('service' in event) return event.service === service;
  return event.type === 'operation' && event.services.includes(service);
}
