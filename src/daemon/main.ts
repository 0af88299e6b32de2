/** The composition root: begins in the ordinary way or takes over, upgrades, ends. Its guardian holds the lock of the home. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from '../api/index.js';
import { UpkeepError, type UpgradeRequest, type UpgradeView } from '../protocol/index.js';
import type { Handover } from '../supervisor/index.js';
import { Guardian, InitSystem, packageRoot, Predecessor, systemClock } from '../system/index.js';
import { compileLater } from './compiler.js';
import { Daemon, type DaemonSetup } from './daemon.js';
import { createLog, wordError } from './log.js';
import { LogFile } from './log-file.js';
import { receive, rehearse } from './takeover.js';
import { upgrade } from './upgrade.js';

const EXIT_BOOT_FAILED = 70; // EX_SOFTWARE

compileLater();
const home = process.env.UPKEEP_HOME;
if (home === undefined)
  throw new Error('UPKEEP_HOME is not set: the daemon is started by the upkeep command');

const initSystem = InitSystem.claim(process.env);
const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};
/** What this daemon has written since an upgrade began: the rest of the log is the new version's. */
const ownWords = new Set<string>();
const logFile = new LogFile(join(home, 'daemon.log'));
const log = createLog((text) => {
  if (upgrading) for (const line of text.split('\n')) ownWords.add(line);
  logFile.write(text);
}, systemClock.wall);
const guardian = new Guardian(process.env, {
  lock: join(home, 'daemon.lock'),
  onReplaced: (pid) =>
    daemon?.warn(`the guardian of the daemon was gone: another one was started, pid ${pid}`),
});
const setup: DaemonSetup = {
  home,
  version,
  log,
  guardian,
  onStopAsked: () => void end('on request'),
  onUpgradeAsked,
};

let daemon: Daemon | undefined;
let isEnding = false;
/** Settles when it is decided whose the home is. */
let upgrading: Promise<UpgradeView['to']> | undefined;

process.on('uncaughtException', logInternalError);
process.on('unhandledRejection', logInternalError);

const predecessor = Predecessor.find(process.env);
try {
  await (predecessor ? takeOver(predecessor) : start());
} catch (error) {
  // A daemon that cannot begin must not hold the lock.
  log(error instanceof UpkeepError ? wordError(error) : String((error as Error).stack));
  process.exitCode = EXIT_BOOT_FAILED;
  daemon?.letGo();
  predecessor?.leave();
}

async function start(): Promise<void> {
  await begin();
  guardian.tellUp();
  initSystem?.notify(['READY=1'], logInternalError);
  if (guardian.restartReason)
    daemon!.warn(`the daemon was started again by its guardian: ${guardian.restartReason}`);
}

async function begin(handover?: Handover): Promise<void> {
  daemon = new Daemon(setup, handover);
  listenToSignals();
  await daemon.begin();
}

async function takeOver(predecessor: Predecessor): Promise<void> {
  guardian.share();
  rehearse(home!);
  predecessor.say({ ready: version });
  const { isWanted, handover } = await receive(predecessor, home!);
  if (!isWanted) return predecessor.leave();
  await begin(handover);
  predecessor.say({ confirmed: { pid: process.pid, version } });
  await predecessor.hear('over'); // or it is gone
  predecessor.leave();
  guardian.adopt();
}

async function onUpgradeAsked(exchange: Exchange): Promise<void> {
  const request = (await exchange.body()) as UpgradeRequest;
  if (upgrading) throw busy();
  const from = { pid: process.pid, version };
  ownWords.clear();
  upgrading = upgrade(request, {
    home: home!,
    guardian,
    launcherDescriptor: daemon!.launcherDescriptor,
    isOwnWord: (line) => ownWords.has(line),
    letGo: () => daemon!.handOver(`another version takes over from ${request.root}`, exchange),
    takeBack: (handover) => begin(handover),
  });
  try {
    exchange.answer({ from, to: await upgrading } satisfies UpgradeView);
    isEnding = true;
  } catch (error) {
    daemon!.warn((error as Error).message);
    throw error;
  } finally {
    upgrading = undefined;
  }
}

/** Services go on running; the next daemon takes them back. Where the whole machine goes down they are ended, in order. */
async function end(reason: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  const successor = await upgrading?.catch(() => undefined);
  if (successor) return void process.kill(successor.pid, 'SIGTERM'); // it was meant
  guardian.tellBye();
  initSystem?.notify(['STOPPING=1'], logInternalError);
  await daemon!.end(reason, initSystem);
}

function logInternalError(error: unknown): void {
  daemon?.logInternalError(error);
}

function listenToSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    if (process.listenerCount(signal) === 0) process.on(signal, () => void end(signal));
}

function busy(): UpkeepError {
  return new UpkeepError('upgrade-failed', 'Cannot upgrade the daemon: another upgrade is under way', {
    hint: 'see how it ended: upkeep daemon status',
  });
}
