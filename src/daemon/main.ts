/** The composition root: wires the parts, begins, ends. Started by the client under the lock of the home. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ApiServer,
  eventRoutes,
  logRoutes,
  operationRoutes,
  serviceRoutes,
  type Handlers,
} from '../api/index.js';
import { PROTOCOL, UpkeepError, type DaemonView } from '../protocol/index.js';
import { EventStore, Journal, StateFile } from '../store/index.js';
import { Supervisor } from '../supervisor/index.js';
import { InitSystem, packageRoot, systemClock } from '../system/index.js';
import { createLog, wordError, wordEvent } from './log.js';

const EXIT_BOOT_FAILED = 70; // EX_SOFTWARE

const home = process.env.UPKEEP_HOME;
if (home === undefined)
  throw new Error('UPKEEP_HOME is not set: the daemon is started by the upkeep command');

const initSystem = InitSystem.claim(process.env);
const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};
const startedAt = systemClock.wall().toISOString();
const log = createLog((text) => process.stdout.write(text), systemClock.wall);
const onInternalError = (error: unknown): void =>
  log(`internal error: ${error instanceof Error ? error.stack : String(error)}`);

const events = new EventStore(home, systemClock.wall);
const supervisor = new Supervisor(
  {
    home,
    clock: systemClock,
    random: Math.random,
    emit: (event) => {
      const words = wordEvent(event);
      if (words !== undefined) log(words);
      events.emit(event);
    },
  },
  { state: new StateFile(home), journal: new Journal(join(home, 'operations.jsonl')), onInternalError },
);

const describe = (): DaemonView => {
  const { pid } = process;
  return { pid, version, protocol: PROTOCOL, home, startedAt, node: process.version, ...supervisor.counts };
};

const handlers: Handlers = {
  daemon: (exchange) => exchange.answer(describe()),
  stopDaemon: (exchange) => {
    exchange.answer(describe());
    setImmediate(() => void end('on request'));
  },
  ...serviceRoutes(supervisor),
  ...operationRoutes(supervisor),
  ...eventRoutes(events),
  ...logRoutes(supervisor),
};
const api = new ApiServer(handlers, {
  version,
  openApiPath: join(packageRoot(), 'dist', 'openapi.json'),
  onInternalError,
});

let isEnding = false;

/** Services go on running; the next daemon takes them back. Where the whole machine goes down they are ended, in order. */
async function end(reason: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  initSystem?.notify(['STOPPING=1'], onInternalError);
  const event = { type: 'daemon-stopping', pid: process.pid, reason } as const;
  log(wordEvent(event)!);
  events.emit(event);
  await api.close();
  if (await initSystem?.isShuttingDown()) await supervisor.standDown();
  await supervisor.detach();
  events.flush();
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(signal));
process.on('uncaughtException', onInternalError);
process.on('unhandledRejection', onInternalError);

try {
  await supervisor.boot();
  await api.listen(join(home, 'daemon.sock'));
  const started = { type: 'daemon-started', pid: process.pid, version } as const;
  log(wordEvent(started)!);
  events.emit(started);
  initSystem?.notify(['READY=1'], onInternalError);
} catch (error) {
  // A daemon that cannot begin must not hold the lock. What runs goes on; nothing of the state is touched.
  log(error instanceof UpkeepError ? wordError(error) : String((error as Error).stack));
  process.exitCode = EXIT_BOOT_FAILED;
  supervisor.letGo();
  events.flush();
}
