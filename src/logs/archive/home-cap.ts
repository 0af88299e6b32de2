/**
 * How much all logs of a home may take: as journald has it (SystemMaxUse in journald.conf), a tenth of the file system, but
 * not more than 4 GiB. UPKEEP_LOGS_MAX of the daemon says otherwise.
 */
import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseBytes } from '../../util/index.js';
import { LogFiles } from '../log-files.js';
import { deleteFile, rotatedFiles, type RotatedFile } from './archive-log.js';

const SHARE = 0.1;
const MOST_BYTES = 4 * 1024 ** 3;

export function homeCap(folder: string, said: string | undefined): number {
  const bytes = said === undefined ? undefined : parseBytes(said);
  if (bytes !== undefined && bytes > 0) return bytes;
  const { blocks, bsize } = statfsSync(folder);
  return Math.min(MOST_BYTES, Math.floor(blocks * bsize * SHARE));
}

/** Deletes the oldest files that were moved aside, of whatever service, until all take no more than that. */
export function enforceHomeCap(folders: readonly string[], maxBytes: number): void {
  let bytes = folders.reduce((sum, folder) => sum + folderBytes(folder), 0);
  if (bytes <= maxBytes) return;
  const files: RotatedFile[] = folders.flatMap((folder) =>
    LogFiles.in(folder).flatMap((each) => rotatedFiles(folder, each)),
  );
  for (const file of files.sort((one, other) => one.writtenAt - other.writtenAt)) {
    if (bytes <= maxBytes) return;
    deleteFile(file);
    bytes -= file.bytes;
  }
}

function folderBytes(folder: string): number {
  const size = (name: string): number => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return readdirSync(folder).reduce((sum, name) => sum + size(name), 0);
}
