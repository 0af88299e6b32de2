/**
 * The archiver: a process of its own, of the lowest priority, which the daemon starts when files were moved aside. It reads
 * its job from stdin, works through all folders and ends; it also ends when its daemon does, at the next megabyte.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { archiveLogs, type ArchiveOptions } from './archive-log.js';
import { enforceHomeCap, homeCap } from './home-cap.js';

export interface ArchiveJob {
  /** Of all logs: a folder for each service below it. */
  readonly folder: string;
  /** What the daemon was told of how much these may take. */
  readonly said: string | undefined;
  readonly services: Readonly<Record<string, ArchiveOptions>>;
}

class DaemonGone extends Error {}

/** Of services that were deleted. */
const ABANDONED: ArchiveOptions = { compress: true, maxAgeMs: null };

const { folder, said, services } = JSON.parse(readFileSync(0, 'utf8')) as ArchiveJob;
const daemon = process.ppid;
giveWay();
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const folders = names.map((name) => join(folder, name));
const cap = homeCap(folder, said);
enforceHomeCap(folders, cap);
try {
  for (const name of names) archiveLogs(join(folder, name), services[name] ?? ABANDONED, endWithDaemon);
} catch (error) {
  if (!(error instanceof DaemonGone)) throw error;
}

function endWithDaemon(): void {
  if (process.ppid !== daemon) throw new DaemonGone();
}

/** Niceness counts only among the processes of a session (autogroup, sched(7)), which has one of its own. */
function giveWay(): void {
  setPriority(constants.priority.PRIORITY_LOW);
  try {
    writeFileSync('/proc/self/autogroup', String(constants.priority.PRIORITY_LOW));
  } catch {
    // a kernel without autogroups
  }
}
