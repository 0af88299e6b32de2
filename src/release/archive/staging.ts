/**
 * Where an archive is unpacked to: a folder that nobody looks at, on the file system of the one that it becomes by a rename, when
 * everything in it has reached the disk. Only new files are made here, and never through a link.
 *
 * Its calls are synchronous: the process has nothing else to do, and for small files the turns of a thread pool took most of the
 * time (1,500 files on a busy machine: 2,900 ms).
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { syncPath, syncTree } from '../../system/index.js';

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
const FOLDER_MODE = 0o755;

export interface FileAttributes {
  readonly mode: number;
  /** Seconds since 1970. */
  readonly modifiedAt: number;
}

export class Staging {
  readonly #root: string;
  readonly #folders = new Set<string>();

  /** @param root exists, is empty, and belongs to this extraction alone */
  constructor(root: string) {
    this.#root = root;
  }

  makeFolder(parts: readonly string[]): void {
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = this.#path(parts.slice(0, depth));
      if (this.#folders.has(path)) continue;
      mkdirSync(path);
      chmodSync(path, FOLDER_MODE); // whatever the umask
      this.#folders.add(path);
    }
  }

  async writeFile(
    parts: readonly string[],
    content: AsyncIterable<Buffer>,
    { mode, modifiedAt }: FileAttributes,
  ): Promise<void> {
    this.makeFolder(parts.slice(0, -1));
    const fd = openSync(this.#path(parts), NEW_FILE, 0o600);
    try {
      for await (const chunk of content) writeAll(fd, chunk);
      fchmodSync(fd, mode);
      futimesSync(fd, modifiedAt, modifiedAt);
    } finally {
      closeSync(fd);
    }
  }

  /** To a file that was written here. */
  makeHardLink(parts: readonly string[], target: readonly string[]): void {
    this.makeFolder(parts.slice(0, -1));
    linkSync(this.#path(target), this.#path(parts));
  }

  /** After everything else: what is written must not meet one. */
  makeSymlink(parts: readonly string[], target: string): void {
    this.makeFolder(parts.slice(0, -1));
    symlinkSync(target, this.#path(parts));
  }

  /** All of it reaches the disk, then it stands at `target`, where nothing is yet. */
  async publish(target: string): Promise<void> {
    chmodSync(this.#root, FOLDER_MODE);
    await syncTree(this.#root);
    renameSync(this.#root, target);
    await syncPath(dirname(target));
  }

  discard(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #path(parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }
}

function writeAll(fd: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
}
