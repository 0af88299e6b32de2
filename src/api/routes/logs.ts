import { UpkeepError } from '../../protocol/index.js';
import { lastLines } from '../../logs/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { Handlers } from '../server.js';

const LISTED = 20;

export function logRoutes(supervisor: Supervisor): Pick<Handlers, 'logs'> {
  return {
    logs: (exchange) => {
      const names = exchange.query.getAll('service');
      const streams = parseStream(exchange.query.get('stream'));
      const count = exchange.number('lines', LISTED);
      const paths = supervisor.logPaths(names);
      let unfollow = (): void => undefined;
      const stream = exchange.stream(() => unfollow());
      for (const { service, ...files } of paths) {
        for (const name of streams) {
          for (const line of lastLines(files[name], count))
            stream.send({ service, instance: null, stream: name, line });
        }
      }
      if (!exchange.isSet('follow')) return stream.end();
      unfollow = supervisor.followLogs(names, (line) => {
        if (streams.includes(line.stream)) stream.send(line);
      });
    },
  };
}

function parseStream(text: string | null): readonly ('out' | 'err')[] {
  if (text === null) return ['out', 'err'];
  if (text === 'out' || text === 'err') return [text];
  throw new UpkeepError('bad-request', `Cannot show stream "${text}": there are "out" and "err"`);
}
