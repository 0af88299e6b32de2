/** The three kinds of users of node:http: those that ask, those that post and those that download. */
import { randomBytes, randomInt } from 'node:crypto';
import { Agent } from 'node:http';
import { judgeById, judgeDownload, judgeSum } from '../answer.js';
import { runUsers, type ClientContext, type RunClient, type User } from '../client.js';
import type { DownloadsDescription, KeepAliveDescription, PostsDescription } from '../description.js';
import type { Exchange } from '../recorder.js';
import { ask, type Question } from '../request.js';

const KIB = 1024;

export const runKeepAlive: RunClient<KeepAliveDescription> = (description, context) => {
  const { serviceMs = 0 } = description;
  return runUsers(context, description, () =>
    userOf(context, true, ({ id }) => ({ path: `/pid?id=${id}&ms=${serviceMs}`, judge: judgeById(id) })),
  );
};

/** Parts of it are the bodies: making each one anew would cost more than sending it. */
const NOISE = randomBytes(1024 * KIB);

export const runPosts: RunClient<PostsDescription> = (description, context) => {
  const { maxBytes = 256 * KIB, isKeptAlive = true } = description;
  return runUsers(context, description, () =>
    userOf(context, isKeptAlive, ({ id }) => {
      const length = randomInt(maxBytes + 1);
      const from = randomInt(NOISE.length - length + 1);
      const body = NOISE.subarray(from, from + length);
      return { path: `/sum?id=${id}`, body, judge: judgeSum(id, body) };
    }),
  );
};

export const runDownloads: RunClient<DownloadsDescription> = (description, context) => {
  const { bytes = 64 * KIB, spreadMs = 100, isKeptAlive = true } = description;
  return runUsers(context, description, () =>
    userOf(context, isKeptAlive, ({ id }) => ({
      path: `/download?id=${id}&bytes=${bytes}&ms=${spreadMs}`,
      judge: judgeDownload(bytes),
    })),
  );
};

function userOf(
  { recorder, port, timeoutMs }: ClientContext,
  isKeptAlive: boolean,
  compose: (exchange: Exchange) => Pick<Question, 'path' | 'body' | 'judge'>,
): User {
  const agent = isKeptAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
  return {
    ask: async () => {
      const failedBefore = recorder.counters.failed;
      const exchange = recorder.begin();
      await ask(recorder, exchange, { port, agent, timeoutMs, ...compose(exchange) });
      return recorder.counters.failed === failedBefore;
    },
    leave: () => agent && agent.destroy(),
  };
}
