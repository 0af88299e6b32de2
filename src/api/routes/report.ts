import type { History, Period, Samples, SlowRequests } from '../../metrics/index.js';
import { UpkeepError, type ReportView } from '../../protocol/index.js';
import { MOMENT_FORMS, parseMoment } from '../../util/index.js';
import type { Exchange } from '../exchange.js';
import type { Handlers } from '../server.js';

const DEFAULT_SINCE = '7d';

export interface ReportSources {
  readonly history: History;
  readonly samples: Samples;
  readonly slow: SlowRequests;
}

/** `namesOf`: of all services for none; throws where there is no such service. */
export function reportRoutes(
  sources: ReportSources,
  namesOf: (asked: readonly string[]) => readonly string[],
): Pick<Handlers, 'report'> {
  return {
    report: async (exchange) => {
      const now = new Date();
      const since = moment(exchange, 'since', now) ?? parseMoment(DEFAULT_SINCE, now)!;
      const until = Math.min(moment(exchange, 'until', now) ?? now.getTime(), now.getTime());
      if (since >= until)
        throw new UpkeepError('bad-request', 'Cannot report: "since" is not before "until"');
      const names = namesOf(exchange.query.getAll('service'));
      exchange.answer(await report(sources, names, { since, until }));
    },
  };
}

async function report(
  { history, samples, slow }: ReportSources,
  names: readonly string[],
  period: Period,
): Promise<ReportView> {
  const services: ReportView['services'] = [];
  for (const name of names) {
    const { traffic, probes } = samples.answers(name, period);
    const slowestRequests = traffic ? slow.find(name, period) : [];
    services.push({
      ...history.report(name, period),
      traffic: traffic && { ...traffic, slowestRequests },
      probes,
    });
    await new Promise((resolve) => setImmediate(resolve)); // some megabytes at a time
  }
  const { since, until } = period;
  return { since: new Date(since).toISOString(), until: new Date(until).toISOString(), services };
}

function moment(exchange: Exchange, name: string, now: Date): number | undefined {
  const text = exchange.query.get(name);
  if (text === null) return undefined;
  const at = parseMoment(text, now);
  if (at !== undefined) return at;
  throw new UpkeepError('bad-request', `Cannot read query parameter "${name}": "${text}" is no time`, {
    hint: `write ${MOMENT_FORMS}`,
  });
}
