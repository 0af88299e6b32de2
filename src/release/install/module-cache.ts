/**
 * What was installed once is kept, and copied into the releases after: `<home>/store/modules/<key>/node_modules`. It comes there
 * whole, by a rename, so a killed installer leaves nothing that anybody would take.
 */
import { lstatSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { isAlive, readProcess, syncPath, syncTree } from '../../system/index.js';
import { endLeftovers } from '../command/leftovers.js';
import { namesIn } from '../folder/current.js';
import { removeTree } from '../folder/remove-tree.js';
import { withLock } from './lock.js';

const MAKING = /^\.making-\w+-(\d+)\.(\d+)$/;
const MARK = 'modules.json';
/** What was used last stays. */
const KEEP = 5;
const UNUSED_MS = 24 * 60 * 60_000;

export const ModulesNote = v.object({
  /** `npm 11.19.1`. */
  by: v.string(),
  madeAt: v.string(),
  /** Packages whose install scripts were not run. */
  skipped: v.array(v.string()),
});
export type ModulesNote = v.InferOutput<typeof ModulesNote>;

export interface Modules extends ModulesNote {
  /** `node_modules`, perhaps empty. */
  readonly path: string;
  /** It was made for this. */
  readonly isNew: boolean;
}

/** @param make installs in the folder that it is given, and leaves a `node_modules` there, if there is anything */
export async function provideModules(
  home: string,
  key: string,
  make: (folder: string) => Promise<ModulesNote>,
  signal: AbortSignal,
): Promise<Modules> {
  const root = join(home, 'store', 'modules');
  mkdirSync(root, { recursive: true });
  const folder = join(root, key);
  return (
    find(folder) ??
    withLock(folder, signal, async () => {
      const found = find(folder); // somebody has made it while this one waited
      if (found) return found;
      await sweep(root);
      const note = await makeWhole(root, key, make);
      await forgetOld(root, key);
      return { ...note, path: join(folder, 'node_modules'), isNew: true };
    })
  );
}

function find(folder: string): Modules | undefined {
  const mark = join(folder, MARK);
  if (!lstatSync(mark, { throwIfNoEntry: false })) return undefined;
  const note = v.safeParse(v.pipe(v.string(), v.parseJson(), ModulesNote), readFileSync(mark, 'utf8'));
  if (!note.success) return undefined;
  utimesSync(mark, new Date(), new Date());
  return { ...note.output, path: join(folder, 'node_modules'), isNew: false };
}

async function makeWhole(
  root: string,
  key: string,
  make: (folder: string) => Promise<ModulesNote>,
): Promise<ModulesNote> {
  const making = join(root, `.making-${key}-${process.pid}.${readProcess(process.pid)?.startTicks ?? 0}`);
  removeTree(making);
  mkdirSync(making);
  try {
    const note = await make(making);
    mkdirSync(join(making, 'node_modules'), { recursive: true });
    writeFileSync(join(making, MARK), `${JSON.stringify(note)}\n`);
    await syncTree(making);
    removeTree(join(root, key)); // one without a mark, which nobody takes
    renameSync(making, join(root, key));
    await syncPath(root);
    return note;
  } finally {
    removeTree(making);
  }
}

/** What killed ones have begun, and installers that they left. */
async function sweep(root: string): Promise<void> {
  for (const name of namesIn(root)) {
    const [, pid, startTicks] = MAKING.exec(name) ?? [];
    if (pid === undefined && !name.startsWith('.removing-')) continue;
    if (pid !== undefined && isAlive({ pid: Number(pid), startTicks: Number(startTicks) })) continue;
    await endLeftovers(join(root, name));
    removeTree(join(root, name));
  }
}

async function forgetOld(root: string, key: string): Promise<void> {
  const usedAt = (name: string): number =>
    statSync(join(root, name, MARK), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const others = namesIn(root).filter((name) => /^[\da-f]{32}$/.test(name) && name !== key);
  const old = others.toSorted((one, other) => usedAt(other) - usedAt(one)).slice(KEEP - 1);
  // Somebody may be copying from one that was used just now.
  for (const name of old) if (Date.now() - usedAt(name) > UNUSED_MS) removeTree(join(root, name));
}
