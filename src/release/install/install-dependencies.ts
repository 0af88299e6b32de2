/** The stage that makes a release able to run, once, whoever and how many ask; after it nothing in the release changes any more. */
import { copyFileSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UpkeepError, type ReleaseCheck } from '../../protocol/index.js';
import { syncTree } from '../../system/index.js';
import { formatDuration } from '../../util/index.js';
import { endLeftovers } from '../command/leftovers.js';
import { runHook, runHooks } from '../command/run-hooks.js';
import { makeReadOnly } from '../folder/read-only.js';
import { readRecord, writeRecord } from '../folder/record.js';
import { makeWritable, removeTree } from '../folder/remove-tree.js';
import type { Stage, StageContext, StageJob, StageResult } from '../job.js';
import { judgeCache } from './cache-key.js';
import { copyTree } from './copy-tree.js';
import { installEnvironment } from './environment.js';
import { MANAGER_OF } from './manager.js';
import { provideModules } from './module-cache.js';
import { judgeNatives } from './native-modules.js';
import { askNode, nodeOf, nodesOf, type NodeFacts } from './node-of.js';
import { planInstall, type InstallPlan } from './plan.js';
import { readPackage, type Package } from './project.js';
import { findManager, runInstaller } from './run-manager.js';

/** Can be done again. Where it fails, the release is taken away; where it is given up, it stays for whoever goes on. */
export const installDependencies: Stage = async (job, context) => {
  const release = folderOf(job);
  await endLeftovers(release, 'install'); // of a worker that was killed
  if (readRecord(release)?.isReady) {
    await finish(release);
    return { text: 'it was installed before' };
  }
  try {
    const result = await install(job, release, context);
    await runHooks('afterInstall', job, context);
    await finish(release);
    return result;
  } catch (error) {
    if (!context.signal.aborted) removeTree(release);
    throw error;
  }
};

interface Installed {
  readonly text: string;
  readonly notes?: readonly string[];
  readonly checks?: readonly ReleaseCheck[];
}

async function install(job: StageJob, release: string, context: StageContext): Promise<StageResult> {
  const package_ = readPackage(release);
  const plan = planInstall(release, package_, job.spec);
  const node = nodeOf(job.spec);
  const { text, notes = [], checks = [] } = await carryOut(plan, package_, job, release, context);
  if (job.spec.build) await build(plan, job, release, context);
  if (!existsSync(join(release, 'node_modules'))) return { text, notes, checks };
  const facts = await askNode(node);
  const found = [
    ...checks,
    ...(await judgeOthers(job, node, facts)),
    ...(await judgeNatives(release, node, facts)),
  ];
  return { text, notes, checks: found };
}

async function carryOut(
  plan: InstallPlan,
  package_: Package | null,
  job: StageJob,
  release: string,
  context: StageContext,
): Promise<Installed> {
  if (plan.by === 'nothing') return { text: `nothing to install: ${plan.why}` };
  if (plan.by === 'command') {
    const env = installEnvironment(job, nodeOf(job.spec), release);
    await runInstaller(job, { argv: plan.argv, cwd: release, env }, context);
    return { text: 'installed by the command of the configuration' };
  }
  return installBy(plan, package_!, job, release, context);
}

async function installBy(
  { manager, lockfile }: Extract<InstallPlan, { by: 'manager' }>,
  package_: Package,
  job: StageJob,
  release: string,
  context: StageContext,
): Promise<Installed> {
  const startedAt = performance.now();
  const node = nodeOf(job.spec);
  const isDev = job.spec.build !== null;
  const env = installEnvironment(job, node, release);
  const { program, install: argsOf } = MANAGER_OF[manager];
  const { path, version } = await findManager(job, program, lockfile, { cwd: release, env });
  const argv = [path, ...argsOf(isDev)];
  const by = `${program} ${version}`;
  const facts = await askNode(node);
  const cache = judgeCache({
    release,
    package: package_,
    manager,
    managerVersion: version,
    lockfile,
    node: facts,
    isDev,
  });
  const took = (): string => formatDuration(performance.now() - startedAt);
  const notes = existsSync(join(release, 'node_modules'))
    ? ['The node_modules of the build was replaced by what its lockfile says']
    : [];
  if ('unlike' in cache) {
    const { skipped } = await runInstaller(job, { argv, cwd: release, env }, context);
    return {
      text: `installed with ${by} in ${took()}; not kept for other releases: ${cache.unlike}`,
      notes,
      checks: skippedChecks(skipped),
    };
  }
  const make = async (folder: string) => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(cache.package));
    for (const file of cache.files) copyInto(release, folder, file);
    const { skipped } = await runInstaller(
      job,
      { argv, cwd: folder, env: installEnvironment(job, node, folder) },
      context,
    );
    rmSync(join(folder, '.npmrc'), { force: true }); // it may hold a token
    return { by, madeAt: new Date().toISOString(), skipped: [...skipped] };
  };
  const modules = await provideModules(job.home, cache.key, make, context.signal);
  rmSync(join(release, 'node_modules'), { recursive: true, force: true });
  const { files } = copyTree(modules.path, join(release, 'node_modules'), context.signal);
  const how = modules.isNew ? `installed with ${by}` : `as installed before with ${modules.by}`;
  return { text: `${how}: ${files} files in ${took()}`, notes, checks: skippedChecks(modules.skipped) };
}

function copyInto(release: string, folder: string, file: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  copyFileSync(join(release, file), join(folder, file));
}

async function build(
  plan: InstallPlan,
  job: StageJob,
  release: string,
  context: StageContext,
): Promise<void> {
  await runHook('build', job.spec.build!, 'install', job, context);
  const prune = plan.by === 'manager' ? MANAGER_OF[plan.manager].prune : null;
  if (plan.by !== 'manager' || prune === null) return;
  const env = installEnvironment(job, nodeOf(job.spec), release);
  const { path } = await findManager(job, MANAGER_OF[plan.manager].program, plan.lockfile, {
    cwd: release,
    env,
  });
  await runInstaller(job, { argv: [path, ...prune], cwd: release, env }, context);
}

/** What was installed fits one Node; services of a group may run with several. */
async function judgeOthers(
  job: StageJob,
  node: string,
  { version, abi }: NodeFacts,
): Promise<ReleaseCheck[]> {
  const checks: ReleaseCheck[] = [];
  for (const other of nodesOf(job.spec).filter((one) => one.node !== node)) {
    const facts = await askNode(other.node);
    if (facts.abi === abi) continue;
    checks.push({
      stage: 'install',
      name: 'install: Node',
      verdict: 'warned',
      text: `service "${other.service}" runs with ${facts.version} (ABI ${facts.abi}), and ${version} (ABI ${abi}) was installed for`,
      hint: 'let all services of the group run with one Node, or release them apart',
    });
  }
  return checks;
}

function skippedChecks(skipped: readonly string[]): ReleaseCheck[] {
  if (skipped.length === 0) return [];
  const names = [...new Set(skipped)].join(', ');
  return [
    {
      stage: 'install',
      name: 'install: scripts',
      verdict: 'warned',
      text: `npm did not run the install scripts of ${names}`,
      hint: 'if they are needed, allow them in package.json: npm install-scripts approve',
    },
  ];
}

/** From here on it is whole, on the disk, and does not change. */
async function finish(release: string): Promise<void> {
  const record = readRecord(release);
  if (record && !record.isReady) {
    makeWritable(release); // a hook may have taken that away
    await syncTree(release); // first: what is said of it must not reach the disk before it
    await writeRecord(release, { ...record, isReady: true });
  }
  makeReadOnly(release);
  await syncTree(release);
}

function folderOf({ id, folder, spec }: StageJob): string {
  if (folder !== null && lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new UpkeepError(
    'release-failed',
    `Cannot install release ${id} of "${spec.name}": its folder ${folder ?? ''} is not there`,
    {
      hint: 'ask for the release again: it is staged anew',
    },
  );
}
