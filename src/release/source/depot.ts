/** How sources put builds into the store: a file over the network, or a folder that they make. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceSpec } from '../../protocol/index.js';
import type { ArtifactStore, Origin, StoredArtifact } from '../artifact-store.js';
import { hashFolder } from '../content-hash.js';
import type { BuildChoice } from '../job.js';
import type { Redactor } from './redactor.js';
import type { Scene } from './scene.js';
import { download, type DownloadOptions } from './web/download.js';
import type { Ask } from './web/exchange.js';
import type { Web } from './web/web.js';

export interface Depot {
  readonly store: ArtifactStore;
  readonly source: SourceSpec['type'];
}

export async function bringFile(
  web: Web,
  depot: Depot,
  choice: BuildChoice,
  ask: Ask,
  options: DownloadOptions,
): Promise<StoredArtifact> {
  return inRoom(depot, async (room) => {
    const path = join(room, 'archive');
    const said = choice.sha256;
    const known =
      said === null ? [] : [{ algorithm: 'sha256', hex: said, saidBy: 'what is expected' } as const];
    const content = await download(web, ask, path, {
      ...options,
      checksums: [...options.checksums, ...known],
    });
    return depot.store.take(
      path,
      { ...content, kind: 'archive' },
      originOf(depot, choice, web.scene.redactor),
    );
  });
}

/** @param make fills a folder that does not exist yet */
export async function bringFolder(
  depot: Depot,
  choice: BuildChoice,
  scene: Scene,
  make: (folder: string, room: string) => Promise<void>,
): Promise<StoredArtifact> {
  return inRoom(depot, async (room) => {
    const folder = join(room, 'tree');
    await make(folder, room);
    const content = await hashFolder(folder);
    if (choice.sha256 !== null && choice.sha256 !== content.sha256)
      throw scene.error(
        'source-failed',
        `what ${choice.from} holds has sha256 ${content.sha256}, and ${choice.sha256} is expected`,
        'do not use it: find out who changed it, or ask for the right checksum',
      );
    return depot.store.take(folder, { ...content, kind: 'folder' }, originOf(depot, choice, scene.redactor));
  });
}

export function originOf({ source }: Depot, choice: BuildChoice, redactor: Redactor): Origin {
  const { from, commit, version, identity } = choice;
  return redactor.deep({ source, from, commit, version, identity });
}

export async function inRoom<T>({ store }: Depot, work: (room: string) => Promise<T>): Promise<T> {
  const room = await store.makeRoom();
  try {
    return await work(room);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
