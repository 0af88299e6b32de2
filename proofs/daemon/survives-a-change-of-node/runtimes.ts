/** Versions of Node.js on a machine as people have them: a folder for each and a link to the one in use, and a copy in /usr/local. */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A Node.js that was fetched before: a machine of its own has no network. */
export interface Runtime {
  /** `v10.24.1` */
  readonly version: string;
  readonly program: string;
}

export class Runtimes {
  readonly #folder: string;
  readonly #link: string;
  /** Holds `bin/node`, whichever version that is. */
  readonly local: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'versions');
    this.#link = join(folder, 'current');
    this.local = join(folder, 'local');
  }

  /** In PATH: the version that is in use. */
  get bin(): string {
    return join(this.#link, 'bin');
  }

  folderOf({ version }: Runtime): string {
    return join(this.#folder, version);
  }

  install(runtime: Runtime): string {
    const node = join(this.folderOf(runtime), 'bin/node');
    copy(runtime.program, node);
    copy(runtime.program, join(this.local, 'bin/node'));
    rmSync(this.#link, { force: true });
    symlinkSync(join(basename(this.#folder), runtime.version), this.#link);
    return node;
  }

  remove(runtime: Runtime): void {
    rmSync(this.folderOf(runtime), { recursive: true });
    rmSync(this.local, { recursive: true });
  }
}

function copy(program: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(program, to);
}
