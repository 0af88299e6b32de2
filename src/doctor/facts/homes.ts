/** Finds every home of upkeep on the machine, and reads what lies in one. */
import { dirname, join } from 'node:path';
import type { OperationView, UpkeepEvent } from '../../protocol/index.js';
import { EventStore, readState, type LoadedState } from '../../store/index.js';
import { parseLines } from '../../util/index.js';
import { readDisk } from '../../system/index.js';
import type { Home, Process } from '../machine.js';
import { readFilesBelow } from './files.js';
import { readInstances, readRuns } from './instances.js';
import { lazily, remembering } from './lazily.js';
import { isDaemon, isShim, type Processes } from './processes.js';
import type { Sight } from './sight.js';

const SHOWN_EVENTS = 1000;

/** The own one first, those of living daemons and shims, and the default ones of all users. */
export function readHomes(own: Home, processes: Processes, sight: Sight): Home[] {
  const alive = [...processes.values()].filter((process) => isDaemon(process) || isShim(process));
  const used = alive.flatMap(({ environment }) => environment?.['UPKEEP_HOME'] ?? []);
  const paths = new Set([...used, ...defaultHomes(sight)]);
  paths.delete(own.path);
  return [own, ...[...paths].map((path) => readHome(path, processes, sight))];
}

function defaultHomes(sight: Sight): string[] {
  const rows = (sight.text('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  const folders = new Set(rows.map((row) => row[5] ?? '').filter((folder) => folder.startsWith('/')));
  return [...folders]
    .map((folder) => join(folder, '.upkeep'))
    .filter((path) => sight.stats(path, 'homes of upkeep in the folders of other users')?.isDirectory());
}

/** What cannot be read of it is one thing that was not looked at. */
function wordHome(path: string): string {
  return `the home ${path}`;
}

export function readHome(
  path: string,
  processes: Processes,
  sight: Sight,
  told?: readonly UpkeepEvent[],
): Home {
  const stats = sight.stats(path, wordHome(path));
  const stored = remembering((folder) => readStateOf(folder, sight));
  return lazily<Home>({
    path: () => path,
    exists: () => stats !== undefined,
    ownerUid: () => stats?.uid ?? process.getuid?.() ?? 0,
    daemon: () => findDaemon(path, processes),
    lockOwner: () => findLockOwner(join(path, 'daemon.lock'), processes, sight),
    services: () => stored(path).state.services,
    stateNotes: () => stored(path).notes,
    instances: () => readInstances(path, processes),
    events: () => told ?? readEvents(path, sight),
    unfinished: () => readUnfinished(path, sight),
    files: () => readFilesBelow(path, wordHome(path), sight),
    runs: () => readRuns(path, wordHome(path), sight),
    disk: () => sight.look(wordHome(path), () => readDisk(path)),
  });
}

function findDaemon(home: string, processes: Processes): Process | undefined {
  return [...processes.values()].find(
    (process) => isDaemon(process) && process.environment?.['UPKEEP_HOME'] === home,
  );
}

/** The kernel lists who holds which lock by the inode of the file. */
function findLockOwner(lock: string, processes: Processes, sight: Sight): Process | undefined {
  const inode = sight.stats(lock, wordHome(dirname(lock)))?.ino;
  const locks = (sight.text('/proc/locks') ?? '').matchAll(
    /FLOCK\s+\S+\s+\S+\s+(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /g,
  );
  const owners = [...locks]
    .filter(([, , held]) => Number(held) === inode)
    .flatMap(([, pid]) => processes.get(Number(pid)) ?? []);
  // Another file system may have a file of the same number.
  return owners.find(({ descriptors }) => descriptors.size === 0 || [...descriptors.values()].includes(lock));
}

function readStateOf(path: string, sight: Sight): LoadedState {
  const nothing: LoadedState = { state: { services: [] }, notes: [], foreign: [] };
  // A file that is refused would look like one that is broken.
  if (sight.names(path, wordHome(path)).length === 0) return nothing;
  try {
    return readState(path);
  } catch (error) {
    return { ...nothing, notes: [(error as Error).message] }; // of a newer upkeep
  }
}

function readEvents(path: string, sight: Sight): readonly UpkeepEvent[] {
  return sight.look(wordHome(path), () => new EventStore(path, () => new Date()).recent(SHOWN_EVENTS)) ?? [];
}

function readUnfinished(home: string, sight: Sight): OperationView[] {
  const open = new Map<string, OperationView>();
  for (const line of parseLines(sight.text(join(home, 'operations.jsonl'), wordHome(home)) ?? '')) {
    const { type, view } = line as { type?: string; view?: OperationView };
    if (!view) continue;
    if (type === 'accepted') open.set(view.id, view);
    else open.delete(view.id);
  }
  return [...open.values()];
}
