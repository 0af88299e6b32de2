import { judgeById } from '../answer.js';
import { runAtRate, type RunClient } from '../client.js';
import type { ConnectionsDescription } from '../description.js';
import { ask } from '../request.js';

const MAX_IN_FLIGHT = 4000;

export const runConnections: RunClient<ConnectionsDescription> = async (description, context) => {
  const { perSecond, serviceMs = 0, maxInFlight = MAX_IN_FLIGHT } = description;
  const { recorder, port, timeoutMs, stopping } = context;
  const underWay = new Set<Promise<void>>();
  await runAtRate(perSecond, stopping, () => {
    if (underWay.size >= maxInFlight) return recorder.leaveOut();
    const exchange = recorder.begin();
    const path = `/pid?id=${exchange.id}&ms=${serviceMs}`;
    const judge = judgeById(exchange.id);
    const asking = ask(recorder, exchange, { port, agent: false, path, timeoutMs, judge }).finally(() =>
      underWay.delete(asking),
    );
    underWay.add(asking);
  });
  await Promise.all(underWay);
};
