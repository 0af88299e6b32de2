import type { History } from '../../metrics/index.js';
import { UpkeepError } from '../../protocol/index.js';
import { MOMENT_FORMS, parseMoment } from '../../util/index.js';
import type { Exchange } from '../exchange.js';
import type { Handlers } from '../server.js';

const DEFAULT_SINCE = '7d';

/** `namesOf`: of all services for none; throws where there is no such service. */
export function reportRoutes(
  history: History,
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
      exchange.answer(await history.report(names, { since, until }));
    },
  };
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
