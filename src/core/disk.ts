/** Decides whether a disk is about to be full. */

export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** 0: the file system has no fixed number of them. */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** `little`: somebody should look. `none`: what is to be written next may fail. */
export type Shortage = 'little' | 'none';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** A small share of a large disk is plenty, a small disk need not be sick: both count. */
export function shortageOfSpace({ totalBytes, freeBytes }: DiskSpace): Shortage | undefined {
  const share = freeBytes / totalBytes;
  if (freeBytes < 100 * MiB && share < 0.05) return 'none';
  return freeBytes < GiB && share < 0.1 ? 'little' : undefined;
}

export function shortageOfInodes({ totalInodes, freeInodes }: DiskSpace): Shortage | undefined {
  if (totalInodes === 0) return undefined;
  const share = freeInodes / totalInodes;
  if (share < 0.01) return 'none';
  return share < 0.05 ? 'little' : undefined;
}

export function isShort(space: DiskSpace): boolean {
  return (shortageOfSpace(space) ?? shortageOfInodes(space)) !== undefined;
}
