/** The source of a group, as it is configured; a file that is asked for goes before it. */
import type { SourceSpec } from '../../protocol/index.js';
import { ArtifactStore } from '../artifact-store.js';
import type { StageJob } from '../job.js';
import type { Depot } from './depot.js';
import { FileSource } from './file.js';
import { GitSource } from './git.js';
import { GithubSource } from './github/source.js';
import { GitlabSource } from './gitlab/source.js';
import { HttpSource } from './http.js';
import { NpmSource } from './npm.js';
import type { Scene } from './scene.js';
import type { Source } from './source.js';
import { Web } from './web/web.js';

export async function openSource({ spec, target, home }: StageJob, scene: Scene): Promise<Source> {
  const source: SourceSpec = target.file === undefined ? spec.source : { type: 'file', path: target.file };
  const depot: Depot = { store: new ArtifactStore(home), source: source.type };
  const web = new Web(scene);
  switch (source.type) {
    case 'gitlab':
      return GitlabSource.open(web, source, depot);
    case 'github':
      return GithubSource.open(web, source, depot);
    case 'git':
      return new GitSource(web, source, depot);
    case 'file':
      return new FileSource(scene, source.path, depot);
    case 'http':
      return HttpSource.open(web, source, depot);
    case 'npm':
      return NpmSource.open(web, source, depot);
  }
}
