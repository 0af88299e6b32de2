/**
 * A descriptor that was inherited, with proof that it still is what it was: a wrapper may have closed it on the way,
 * the application may have closed it since, and its number belongs to something else then.
 */
import type { BigIntStats } from 'node:fs';
import { attempt } from './attempt.js';
import { fs } from './node.js';

// The application may replace them (mock-fs, memfs).
const { fstatSync } = fs;

export class Descriptor {
  readonly fd: number;
  private readonly inode: string;

  private constructor(fd: number, inode: string) {
    this.fd = fd;
    this.inode = inode;
  }

  static of(fd: number, isKind: (stats: BigIntStats) => boolean): Descriptor | null {
    const inode = identify(fd, isKind);
    return inode === undefined ? null : new Descriptor(fd, inode);
  }

  get isIntact(): boolean {
    return this.isSameAs(this.fd);
  }

  isSameAs(fd: number): boolean {
    return identify(fd, () => true) === this.inode;
  }
}

/**
 * As bigint, because Node 10 to 22 remember the numbers of the last fstat in an array that realpathSync() takes for its own:
 * after that of a pipe, the application's main script was not found behind a symbolic link (node_modules/.bin).
 */
function identify(fd: number, isKind: (stats: BigIntStats) => boolean): string | undefined {
  return attempt(() => {
    const stats = fstatSync(fd, { bigint: true });
    return isKind(stats) ? `${stats.dev}:${stats.ino}` : undefined;
  });
}
