/** The engine of releases as part of the daemon: where its journal is, and what of it is an event. */
import { join } from 'node:path';
import { createReleases, type EngineHost, type Releases } from '../release/index.js';
import type { NewEvent, ReleaseView } from '../protocol/index.js';
import { Journal } from '../store/index.js';

export interface ReleasesHost extends Omit<EngineHost, 'journal' | 'onChange'> {
  readonly emit: (event: NewEvent) => void;
}

export function beginReleases(host: ReleasesHost): Releases {
  const told = new Map<string, string>();
  return createReleases({
    ...host,
    journal: new Journal(join(host.home, 'releases.jsonl')),
    // Progress is for whoever follows; what others hear of are stages.
    onChange: (view) => {
      const state = `${view.status} ${view.stage}`;
      if (told.get(view.id) === state) return;
      if (view.finishedAt === null) told.set(view.id, state);
      else told.delete(view.id);
      host.emit(eventOf(view));
    },
  });
}

function eventOf({ id, group, kind, status, stage, failure, services }: ReleaseView): NewEvent {
  const reason = failure?.message ?? null;
  return { type: 'release', release: id, group, kind, status, stage, reason, services };
}
