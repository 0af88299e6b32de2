/** The process of a load, forked by load.ts: runs the clients that it is told of, and reports when it is told to stop. */
import { setMaxListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ClientContext } from './client.js';
import { nameOf, type ClientDescription, type LoadDescription } from './description.js';
import { runConnections } from './kinds/connections.js';
import { runEvents } from './kinds/events.js';
import { runHttp2 } from './kinds/http2.js';
import { runDownloads, runKeepAlive, runPosts } from './kinds/requests.js';
import { runSocketIo } from './kinds/socket-io.js';
import { runWebSockets } from './kinds/websockets.js';
import type { FromProcess, ToProcess } from './messages.js';
import { monotonicMs } from './monotonic.js';
import { Recorder } from './recorder.js';
import type { LiveCounters, LoadReport } from './report.js';

const TIMEOUT_MS = 20_000;
const TELL_EVERY_MS = 100;

const stop = new AbortController();
setMaxListeners(0, stop.signal); // every user that thinks waits for it, too
const lag = monitorEventLoopDelay({ resolution: 10 });
const recorders: Recorder[] = [];

process.on('message', (message: ToProcess) => {
  if (message.kind === 'stop') stop.abort();
  else void run(message.description);
});
process.on('disconnect', () => process.exit(1)); // the proof has died
process.on('SIGINT', () => undefined); // a Ctrl-C is the proof's to answer
tell({ kind: 'ready' });

async function run({ port, clients, timeoutMs = TIMEOUT_MS }: LoadDescription): Promise<void> {
  lag.enable();
  const startedAt = monotonicMs();
  const running = clients.map((description) => {
    const recorder = new Recorder(nameOf(description));
    recorders.push(recorder);
    const context = { recorder, port: description.port ?? port, timeoutMs, stopping: stop.signal };
    return runClient(description, context);
  });
  const telling = setInterval(() => {
    const lastFailure = recorders.find((recorder) => recorder.lastFailure)?.lastFailure;
    tell({ kind: 'counters', counters: liveCounters(), lastFailure });
  }, TELL_EVERY_MS);
  await Promise.all(running);
  clearInterval(telling);
  tell({ kind: 'report', report: report(startedAt) }, () => process.disconnect());
}

function runClient(description: ClientDescription, context: ClientContext): Promise<void> {
  switch (description.kind) {
    case 'connections':
      return runConnections(description, context);
    case 'keep-alive':
      return runKeepAlive(description, context);
    case 'posts':
      return runPosts(description, context);
    case 'downloads':
      return runDownloads(description, context);
    case 'http2':
      return runHttp2(description, context);
    case 'events':
      return runEvents(description, context);
    case 'websockets':
      return runWebSockets(description, context);
    case 'socket.io':
      return runSocketIo(description, context);
  }
}

function liveCounters(): LiveCounters {
  return Object.fromEntries(recorders.map(({ client, counters }) => [client, counters]));
}

function report(startedAt: number): LoadReport {
  return {
    startedAt,
    endedAt: monotonicMs(),
    clients: Object.fromEntries(recorders.map((recorder) => [recorder.client, recorder.report()])),
    failures: recorders.flatMap(({ failures }) => failures).sort((a, b) => a.endedAt - b.endedAt),
    streams: recorders.flatMap(({ streams }) => streams).sort((a, b) => a.endedAt - b.endedAt),
    lagMs: lag.max / 1e6,
  };
}

function tell(message: FromProcess, onTold: () => void = () => undefined): void {
  process.send?.(message, onTold);
}
