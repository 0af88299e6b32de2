import { Agent, request, type IncomingMessage } from 'node:http';
import { pause, type ClientContext, type RunClient } from '../client.js';
import type { EventsDescription } from '../description.js';
import { observe } from '../request.js';

const REOPEN_MS = 20;
/** Where nothing comes for this long, the stream counts as hung. */
const SILENCE = 4;
const MIN_SILENCE_MS = 5000;

export const runEvents: RunClient<EventsDescription> = async (description, context) => {
  const run = async (): Promise<void> => {
    while (!context.stopping.aborted) {
      await follow(description, context);
      await pause(REOPEN_MS, context.stopping);
    }
  };
  await Promise.all(Array.from({ length: description.clients }, run));
};

/** One stream, from the request to its end. */
function follow({ everyMs, lastsMs }: EventsDescription, context: ClientContext): Promise<void> {
  const { recorder, port, timeoutMs, stopping } = context;
  const exchange = recorder.begin();
  const path = `/events?id=${exchange.id}&every=${everyMs}${lastsMs === undefined ? '' : `&lasts=${lastsMs}`}`;
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: false });
    const asking = request({ host: '127.0.0.1', port, agent, path });
    const timer = setTimeout(() => {
      exchange.fail('hung', `no stream after ${timeoutMs} ms`);
      asking.destroy();
    }, timeoutMs);
    asking.on('socket', (socket) => observe(socket, false, exchange, recorder));
    asking.on('response', (response) => {
      clearTimeout(timer);
      exchange.hasResponseByte = true;
      if (response.statusCode !== 200) {
        exchange.fail('wrong_status', String(response.statusCode));
        response.resume();
        return;
      }
      const stop = (): unknown => asking.destroy();
      stopping.addEventListener('abort', stop);
      if (stopping.aborted) stop();
      read(response, Math.max(everyMs * SILENCE, MIN_SILENCE_MS), context, (pid) => {
        exchange.succeed(pid);
        return { id: exchange.id, startedAt: exchange.startedAt };
      });
      response.on('close', () => stopping.removeEventListener('abort', stop));
    });
    const isOwnEnd = (): boolean => stopping.aborted && exchange.hasResponseByte;
    asking.on('error', (error) => !isOwnEnd() && exchange.failBy(error));
    asking.on('close', () => {
      clearTimeout(timer);
      if (isOwnEnd()) exchange.succeed();
      exchange.failByEnd();
      resolve();
    });
    asking.end();
  });
}

interface NumberedEvent {
  readonly pid: number;
  readonly n: number;
}

/** `begun` is called with the first event: until then it was a request. */
function read(
  response: IncomingMessage,
  silenceMs: number,
  { recorder, stopping }: ClientContext,
  begun: (pid: number) => { id: string; startedAt: number },
): void {
  let end: ReturnType<typeof recorder.openStream> | undefined;
  let opened: { id: string; startedAt: number } | undefined;
  let pid: number | null = null;
  let received = 0;
  let problem: string | undefined;
  let unread = '';
  const silence = setTimeout(() => spoil(`silent for ${silenceMs} ms`), silenceMs);
  const spoil = (words: string): void => {
    problem ??= words;
    response.destroy();
  };
  const take = (text: string): void => {
    const line = /^data: (.*)$/m.exec(text)?.[1];
    if (line === undefined) return; // a comment, or how long to wait before a retry
    const event = JSON.parse(line) as NumberedEvent;
    if (!end) {
      pid = event.pid;
      opened = begun(pid);
      end = recorder.openStream();
    }
    received++;
    silence.refresh();
    if (event.n !== received || event.pid !== pid)
      spoil(`event ${event.n} of ${event.pid} came as the ${received}th of ${pid}`);
  };
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    const events = (unread + text).split('\n\n');
    unread = events.pop()!;
    events.forEach(take);
  });
  response.on('error', (error) => (problem ??= error.message));
  response.on('close', () => {
    clearTimeout(silence);
    const isOwn = stopping.aborted && !response.complete;
    const isClean = isOwn || (response.complete && unread === '' && problem === undefined);
    const detail = isOwn ? 'stopped' : (problem ?? 'ended');
    end?.({ ...opened!, pid, by: isOwn ? 'client' : 'server', isClean, detail, received, unanswered: 0 });
  });
}
