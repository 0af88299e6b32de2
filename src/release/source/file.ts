/** An archive or a folder on this host. */
import { constants } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { ReleaseTarget } from '../../protocol/index.js';
import type { StoredArtifact } from '../artifact-store.js';
import { hashFile } from '../content-hash.js';
import type { BuildChoice } from '../job.js';
import { copyFolder } from './copy-folder.js';
import { bringFolder, inRoom, originOf, type Depot } from './depot.js';
import type { Scene } from './scene.js';
import { candidate, found, nothing, type Finding, type Source } from './source.js';
import { archiveOf } from './words.js';

export class FileSource implements Source {
  readonly #scene: Scene;
  readonly #path: string | null;
  readonly #depot: Depot;

  /** @param path what is configured; what is asked for goes first */
  constructor(scene: Scene, path: string | null, depot: Depot) {
    this.#scene = scene;
    this.#path = path;
    this.#depot = depot;
  }

  async find({ file, version, commit }: ReleaseTarget): Promise<Finding> {
    const path = file ?? this.#path;
    if (path === null)
      return nothing(
        'no file is asked for, and none is configured',
        'release by --file <archive or folder>, or set source.path',
      );
    if (!isAbsolute(path))
      throw this.#scene.error(
        'bad-request',
        `the path "${path}" is not absolute`,
        'give the whole path: the daemon has another working directory',
      );
    const there = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
    if (typeof there === 'string')
      return nothing(
        `"${path}" cannot be read (${there})`,
        there === 'ENOENT' ? 'see that the path is right' : 'let the user of the daemon read it',
      );
    const isFolder = there.isDirectory();
    if (!isFolder && !there.isFile())
      return nothing(`"${path}" is neither a file nor a folder`, 'give an archive or a folder');
    const choice: BuildChoice = {
      from: path,
      commit: commit?.length === 40 ? commit : null,
      version: version ?? null,
      identity: null,
      sha256: isFolder ? null : await this.#hash(path),
      place: { path, kind: isFolder ? 'folder' : 'archive' },
    };
    const row = {
      origin: 'file',
      name: path,
      status: isFolder ? 'folder' : 'file',
      verdict: 'chosen',
      isChosen: true,
    };
    return found(choice, [
      candidate({ ...row, archive: isFolder ? null : archiveOf(path.split('/').at(-1)!, there.size) }),
    ]);
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const { path = '', kind } = choice.place;
    if (kind === 'folder') {
      this.#scene.say(`copying ${path}`);
      return bringFolder(this.#depot, choice, this.#scene, (folder) => copyFolder(path, folder, this.#scene));
    }
    return inRoom(this.#depot, async (room) => {
      const copy = join(room, 'archive');
      await this.#copy(path, copy);
      const sha256 = await hashFile(copy);
      if (choice.sha256 !== null && sha256 !== choice.sha256)
        throw this.#scene.error(
          'source-failed',
          `"${path}" has changed while it was looked at`,
          'wait until it is written as a whole, then release again',
        );
      const { size: bytes } = await stat(copy);
      const origin = originOf(this.#depot, choice, this.#scene.redactor);
      return this.#depot.store.take(copy, { sha256, bytes, kind: 'archive' }, origin);
    });
  }

  async #hash(path: string): Promise<string> {
    return hashFile(path).catch((error: NodeJS.ErrnoException) => {
      throw this.#scene.error(
        'source-failed',
        `"${path}" cannot be read (${error.code})`,
        'let the user of the daemon read it',
      );
    });
  }

  async #copy(path: string, copy: string): Promise<void> {
    await copyFile(path, copy, constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
      throw this.#scene.error(
        'source-failed',
        `"${path}" cannot be copied into the store (${error.code})`,
        'see that it can be read, and that there is room',
      );
    });
  }
}
