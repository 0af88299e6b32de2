import { CLIENT_PID_HEADER, UpkeepError, type RouteBody } from '../../protocol/index.js';
import type { KnownErrors } from '../../logs/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { Exchange } from '../exchange.js';
import type { Handlers } from '../server.js';

export function errorRoutes(
  errors: KnownErrors,
  supervisor: Supervisor,
): Pick<Handlers, 'errors' | 'errorKind' | 'muteError' | 'unmuteError' | 'mark'> {
  return {
    errors: (exchange) =>
      exchange.answer(
        errors.list({
          services: exchange.query.getAll('service'),
          isNew: exchange.isSet('new'),
          since: parseSince(exchange.query.get('since')),
          withMuted: exchange.isSet('muted'),
        }),
      ),
    errorKind: (exchange) => exchange.answer(errors.show(exchange.params.id!, exchange.query.get('service'))),
    muteError: async (exchange) => {
      const owner = nameOfClient(exchange, supervisor);
      const { service, reason, forMs } = (await exchange.body()) as RouteBody<'muteError'>;
      exchange.answer(errors.mute(exchange.params.id!, service, { reason, owner, forMs }));
    },
    unmuteError: async (exchange) => {
      const { service } = (await exchange.body()) as RouteBody<'unmuteError'>;
      exchange.answer(errors.unmute(exchange.params.id!, service));
    },
    mark: async (exchange) => {
      const { services, text } = (await exchange.body()) as RouteBody<'mark'>;
      exchange.answer(errors.mark(services, 'manual', text));
    },
  };
}

/** Asked for at once, because the client may be gone soon. */
function nameOfClient(exchange: Exchange, supervisor: Supervisor): string {
  const pid = Number(exchange.header(CLIENT_PID_HEADER));
  return supervisor.whoIs(Number.isInteger(pid) ? pid : undefined);
}

function parseSince(text: string | null): number | 'mark' | undefined {
  if (text === null) return undefined;
  if (text === 'mark') return text;
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return at;
  throw new UpkeepError(
    'bad-request',
    `Cannot show errors since "${text}": this is neither a time nor "mark"`,
  );
}
