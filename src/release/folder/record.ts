/** What lies in each release about itself, so that a folder without a journal still says what it is. */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { syncPath } from '../../system/index.js';
import { namesIn } from './current.js';
import { releaseNumber } from './names.js';

export const RECORD_NAME = '.upkeep-release.json';

export const ReleaseRecord = v.object({
  id: v.string(),
  group: v.string(),
  sha256: v.string(),
  commit: v.nullable(v.string()),
  version: v.nullable(v.string()),
  from: v.string(),
  /** Everything is installed: nothing in it will change any more. */
  isReady: v.boolean(),
});
export type ReleaseRecord = v.InferOutput<typeof ReleaseRecord>;

/** undefined: it is no release, or it was made by something else. */
export function readRecord(release: string): ReleaseRecord | undefined {
  let text: string;
  try {
    text = readFileSync(join(release, RECORD_NAME), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ReleaseRecord), text);
  return parsed.success ? parsed.output : undefined; // not of this: it is written whole, or not at all
}

/** The highest number of a release that lies in the folder of a group; 0: none does. */
export function lastIn(folder: string): number {
  try {
    const names = namesIn(folder).filter((name) => releaseNumber(name) !== undefined);
    return Math.max(0, ...names.map((name) => numberIn(join(folder, name))));
  } catch {
    return 0; // who may not look into it is told so when he is to write there
  }
}

function numberIn(release: string): number {
  try {
    return releaseNumber(readRecord(release)?.id ?? '') ?? 0;
  } catch {
    return 0; // somebody else's
  }
}

/** The one before is there until this one is on the disk. */
export async function writeRecord(release: string, record: ReleaseRecord): Promise<void> {
  const path = join(release, RECORD_NAME);
  const fresh = `${path}.new`;
  rmSync(fresh, { recursive: true, force: true }); // of the build, as what follows: it may be a link, or a folder
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
  writeFileSync(fresh, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o644, flag: 'wx' });
  await syncPath(fresh);
  renameSync(fresh, path);
}
