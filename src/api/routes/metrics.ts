import { viewSample, type History, type Samples, type Scraped } from '../../metrics/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { Handlers } from '../server.js';

export function sampleRoutes(samples: Samples, supervisor: Supervisor): Pick<Handlers, 'samples'> {
  return {
    samples: (exchange) =>
      exchange.answer(
        supervisor.specs.map(({ name: service }) => ({
          service,
          samples: samples.recent(service).map(viewSample),
        })),
      ),
  };
}

/** What GET /metrics and the export of OpenTelemetry say. */
export function scrape(samples: Samples, history: History, supervisor: Supervisor): Scraped[] {
  return samples.scrape(supervisor.list(), (service) => history.level(service));
}
