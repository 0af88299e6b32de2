/**
 * What a hook, an installer or a check of a signature is told: what every service gets of the shell, and which release it is about.
 * Nothing else of upkeep's own environment, and no secret of a service.
 */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isBaseVariable } from '../../core/index.js';
import type { ReleaseStage } from '../../protocol/index.js';
import { isNodeBinary, locate } from '../../system/index.js';
import { STAGING_PREFIX } from '../folder/names.js';
import type { StageJob } from '../job.js';
import { WORKS_IN } from './leftovers.js';

export type Environment = Readonly<Record<string, string>>;

/** How this host reaches others, which is no secret of an application. */
const NETWORK = /^(?:https?_proxy|no_proxy|all_proxy|node_extra_ca_certs|ssl_cert_(?:file|dir))$/i;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

export interface EnvironmentOptions {
  readonly stage: ReleaseStage;
  /** Comes first in PATH. @default as in the PATH of upkeep */
  readonly node?: string | undefined;
  /** @default that of upkeep */
  readonly base?: NodeJS.ProcessEnv;
}

export function commandEnvironment(job: StageJob, options: EnvironmentOptions): Environment {
  const { stage, node, base = process.env } = options;
  const taken = Object.entries(base).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (isBaseVariable(entry[0]) || NETWORK.test(entry[0])),
  );
  const { id, kind, spec, folder, previous, build } = job;
  return {
    ...Object.fromEntries(taken),
    PATH: withNode(base.PATH ?? DEFAULT_PATH, node),
    UPKEEP_RELEASE: id,
    UPKEEP_RELEASE_KIND: kind,
    UPKEEP_RELEASE_GROUP: spec.name,
    UPKEEP_RELEASE_FOLDER: folder ?? '',
    UPKEEP_RELEASE_PREVIOUS: previous?.folder ?? '',
    UPKEEP_RELEASE_COMMIT: build?.commit ?? '',
    UPKEEP_RELEASE_VERSION: build?.version ?? '',
    UPKEEP_RELEASE_SHA256: build?.sha256 ?? '',
    UPKEEP_RELEASE_STAGE: stage,
    [WORKS_IN]: folder ?? join(spec.folder, `${STAGING_PREFIX}${id}`),
  };
}

/** `npm` and what it runs look for `node` in PATH; one of another name cannot be found there. */
function withNode(path: string, node: string | undefined): string {
  if (node === undefined || !isNodeBinary(node)) return path;
  const found = locate('node', '/', path);
  const isFirst = found !== undefined && realPath(found) === realPath(node);
  return isFirst ? path : `${dirname(node)}:${path}`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there: whoever runs it will say so
  }
}
