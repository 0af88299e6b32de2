/** What lies in each release about itself, so that a folder without a journal still says what it is. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

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
  return parsed.success ? parsed.output : undefined; // torn by a power cut: not ready, in any case
}

export function writeRecord(release: string, record: ReleaseRecord): void {
  const path = join(release, RECORD_NAME);
  rmSync(path, { recursive: true, force: true }); // of the build: it may be a link
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o644, flag: 'wx' });
}
