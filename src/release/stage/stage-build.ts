/** The stage that makes a folder of a build: checked, whole, and beside the releases, where nothing runs from it yet. */
import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UpkeepError, type ReleaseBuild, type ReleaseSpec } from '../../protocol/index.js';
import { syncPath, syncTree } from '../../system/index.js';
import { formatBytes } from '../../util/index.js';
import { extractArchive } from '../archive/extract-archive.js';
import { hashFolder } from '../content-hash.js';
import { runHooks } from '../command/run-hooks.js';
import { readCurrent, realFolder } from '../folder/current.js';
import { releaseName, SHARED, STAGING_PREFIX } from '../folder/names.js';
import { findUsers } from '../folder/open-files.js';
import { readRecord, writeRecord } from '../folder/record.js';
import { removeTree } from '../folder/remove-tree.js';
import { sweepStaging } from '../folder/sweep.js';
import type { Stage, StageContext, StageJob, StageResult } from '../job.js';
import { placeLinks, prepareShared } from './linked.js';
import { judgeFacts, readFacts } from './manifest.js';
import { placeTree } from './place-tree.js';
import { estimateBytes, judgeRoom } from './room.js';
import { findRoot } from './root.js';
import { checkSignature } from './signature.js';

interface Artifact {
  readonly path: string;
  readonly build: ReleaseBuild;
}

/** Can be done again. Where it fails, nothing of it is left. */
export const stageBuild: Stage = async (job, context) => {
  const artifact = artifactOf(job);
  const { folder } = job.spec;
  mkdirSync(join(folder, SHARED), { recursive: true });
  await sweepStaging(folder);
  prepareShared(job.spec);
  const room = judgeRoom(job.id, folder, estimateBytes(artifact.path));
  await checkSignature(job, artifact.path, context);
  const staging = join(folder, `${STAGING_PREFIX}${job.id}`);
  mkdirSync(staging);
  try {
    const staged = await stage(job, artifact, staging, context);
    await finish({ ...job, ...staged }, staged.folder, context);
    const free = `${formatBytes(room.freeBytes)} free on ${room.fileSystem}`;
    return { ...staged, text: `staged in ${staged.folder}; ${free}` };
  } finally {
    removeTree(staging);
  }
};

async function finish(job: StageJob, release: string, context: StageContext): Promise<void> {
  if (job.spec.hooks.afterStage.length === 0) return;
  try {
    await runHooks('afterStage', job, context);
    await syncTree(release);
  } catch (error) {
    removeTree(release);
    throw error;
  }
}

type Staged = StageResult & { readonly folder: string; readonly build: ReleaseBuild };

async function stage(
  job: StageJob,
  { path, build }: Artifact,
  staging: string,
  context: StageContext,
): Promise<Staged> {
  const { spec, target, id } = job;
  const unpacked = join(staging, 'build');
  context.say('unpacking the build');
  await unpack(path, unpacked, build, context.signal);
  const root = findRoot(unpacked, spec.root);
  const facts = readFacts(unpacked, root);
  const checks = judgeFacts(root, facts, { target, commit: build.commit });
  context.note({ checks });
  const failed = checks.find(({ verdict }) => verdict === 'failed');
  if (failed) {
    throw new UpkeepError(
      'release-refused',
      `Cannot stage release ${id} from ${build.from}: ${failed.text}`,
      { hint: failed.hint },
    );
  }
  const known = { ...build, commit: facts.commit ?? build.commit, version: facts.version ?? build.version };
  const release = join(spec.folder, releaseName(id, known.version, known.commit));
  const notes = placeLinks(spec, root);
  const { sha256, commit, version, from } = known;
  await writeRecord(root, { id, group: spec.name, sha256, commit, version, from, isReady: false });
  await makeRoomFor(release, known);
  context.signal.throwIfAborted();
  await syncPlaced(root, spec.linked);
  renameSync(root, release);
  await syncPath(spec.folder);
  return { folder: release, build: known, checks, notes };
}

async function unpack(
  artifact: string,
  target: string,
  build: ReleaseBuild,
  signal: AbortSignal,
): Promise<void> {
  if (!lstatSync(artifact).isDirectory())
    return void (await extractArchive(artifact, target, { sha256: build.sha256, signal }));
  placeTree(artifact, target, signal);
  const { sha256 } = await hashFolder(target);
  if (sha256 !== build.sha256) {
    throw new UpkeepError(
      'archive-refused',
      `Cannot stage "${artifact}": it has sha256 ${sha256}, and not the ${build.sha256} that was kept`,
      {
        hint: 'it was changed in the store: take that folder away, and ask again',
        details: { rule: 'checksum' },
      },
    );
  }
  await syncTree(target);
}

/** What was unpacked is on the disk; this is what came to it. */
async function syncPlaced(root: string, { files, folders }: ReleaseSpec['linked']): Promise<void> {
  const changed = [...files, ...folders].flatMap((path) => foldersAbove(path));
  for (const folder of new Set(['.', ...changed])) await syncPath(join(root, folder));
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === '.' ? [] : [above, ...foldersAbove(above)];
}

/** What an earlier try left there goes; what somebody else's release is, or serves, does not. */
async function makeRoomFor(release: string, { sha256 }: ReleaseBuild): Promise<void> {
  if (!lstatSync(release, { throwIfNoEntry: false })) return;
  const real = realFolder(release);
  const record = readRecord(release);
  const { users, unreadable } = await findUsers([real]);
  const user = users.get(real) ?? unreadable.get(real);
  const current = readCurrent(join(release, '..'));
  const isOwn =
    record?.sha256 === sha256 && user === undefined && (current === null || realFolder(current) !== real);
  if (isOwn) return removeTree(release);
  const fact = user === undefined ? 'it is another release' : `${user} uses it`;
  throw new UpkeepError('release-refused', `Cannot stage in "${release}": it exists, and ${fact}`, {
    hint: 'move that folder away, and ask again',
  });
}

function artifactOf({ id, artifact, build, spec }: StageJob): Artifact {
  if (artifact !== null && build !== null && lstatSync(artifact, { throwIfNoEntry: false }))
    return { path: artifact, build };
  throw new UpkeepError(
    'artifact-not-found',
    `Cannot stage release ${id} of "${spec.name}": its build is not in the store`,
    {
      hint: 'ask again: it is fetched anew',
      details: { artifact },
    },
  );
}
