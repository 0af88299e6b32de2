import { UpkeepError, type LogEntry } from '../../protocol/index.js';
import type { LogFollow } from '../../logs/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import type { Handlers } from '../server.js';

const LISTED = 20;

export function logRoutes(supervisor: Supervisor): Pick<Handlers, 'logs'> {
  return {
    logs: (exchange) => {
      const names = exchange.query.getAll('service');
      const streams = parseStream(exchange.query.get('stream'));
      const count = exchange.number('lines', LISTED);
      const logs = supervisor.logs(names);
      const follows: LogFollow[] = [];
      const stream = exchange.stream(() => follows.forEach((follow) => follow.end()));
      const send = (entry: LogEntry): void => stream.send(entry);
      for (const log of logs) {
        const follow = exchange.isSet('follow')
          ? log.follow(streams, send, () => !stream.isFull())
          : undefined;
        if (follow) follows.push(follow);
        for (const name of streams) log.lastLines(name, count, follow).forEach(send);
      }
      if (!exchange.isSet('follow')) stream.end();
    },
  };
}

function parseStream(text: string | null): readonly ('out' | 'err')[] {
  if (text === null) return ['out', 'err'];
  if (text === 'out' || text === 'err') return [text];
  throw new UpkeepError('bad-request', `Cannot show stream "${text}": there are "out" and "err"`);
}
