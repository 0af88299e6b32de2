import { LogAnswer } from '../../logs/index.js';
import { UpkeepError } from '../../protocol/index.js';
import type { EventStore } from '../../store/index.js';
import type { Supervisor } from '../../supervisor/index.js';
import { readLogQuestion, type ExitFinder } from '../log-question.js';
import type { Handlers } from '../server.js';

export function logRoutes(home: string, supervisor: Supervisor, events: EventStore): Pick<Handlers, 'logs'> {
  return {
    logs: (exchange) => {
      const logs = supervisor.logs(exchange.query.getAll('service'));
      const question = readLogQuestion(exchange, {
        services: logs.map(({ service }) => service),
        folder: supervisor.logFolder,
        exitOf: exitFinder(supervisor, events),
        now: new Date(),
      });
      const answer = new LogAnswer(question, home);
      const stream = exchange.stream(() => answer.end());
      answer.onEnd((failure) => {
        if (failure === undefined) stream.end();
        else stream.fail(brokenOff(failure));
      });
      stream.relay(answer.stream);
    },
  };
}

/** Instances know their last exit, events those before. */
function exitFinder(supervisor: Supervisor, events: EventStore): ExitFinder {
  return (service, attempt) => {
    const known = supervisor.show(service).instances.flatMap(({ exit }) => exit ?? []);
    const past = events
      .recent(Infinity)
      .flatMap((event) => (event.type === 'instance-exited' && event.service === service ? event.exit : []));
    const times = [...past, ...known]
      .filter((exit) => attempt === undefined || exit.attempt === attempt)
      .map(({ at }) => Date.parse(at));
    return times.length === 0 ? undefined : new Date(Math.max(...times));
  };
}

function brokenOff(failure: string): UpkeepError {
  return new UpkeepError('internal', `Cannot read the logs to their end: ${failure}`, {
    hint: 'what was printed is not all; where it happens again, it is a bug of upkeep',
  });
}
