/** Puts the engine together: who performs which stage, what a stage is told, and when what is asked for serves already. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { UpkeepError, type ReleaseStage, type ReleaseView } from '../protocol/index.js';
import type { Journal } from '../store/index.js';
import type { Supervisor } from '../supervisor/index.js';
import type { Clock } from '../system/index.js';
import { isSameDescription, withoutShell } from './description.js';
import type { StageContext, StageJob, StageResult } from './job.js';
import { readRecord } from './folder/record.js';
import { LiveStages } from './live.js';
import { NEEDLESS, type ReleaseRun } from './release-run.js';
import { Releases } from './releases.js';
import type { ReleaseErrors } from './verify/index.js';
import { lookForErrors, watch } from './watch.js';
import type { TaskName } from './worker/message.js';
import { runTask } from './worker/run-task.js';

export interface EngineHost {
  readonly home: string;
  readonly journal: Journal;
  readonly supervisor: Pick<Supervisor, 'switchover' | 'operations'>;
  readonly errors: ReleaseErrors;
  readonly clock: Clock;
  readonly wall: () => Date;
  /** It began, came to another stage, or ended. */
  readonly onChange: (view: ReleaseView) => void;
  readonly onInternalError: (error: unknown) => void;
}

const IN_WORKER = ['resolve', 'fetch', 'stage', 'install', 'preflight'] as const;
type WorkerStage = (typeof IN_WORKER)[number];

export function createReleases(host: EngineHost): Releases {
  const work = (run: ReleaseRun, task: TaskName, context: StageContext): Promise<StageResult> =>
    runTask(task, jobOf(run), context);
  const jobOf = (run: ReleaseRun): StageJob => ({
    id: run.id,
    kind: run.view.kind,
    home: host.home,
    spec: run.spec,
    target: run.request.target,
    waive: run.request.waive,
    choice: run.choice,
    build: run.view.build,
    artifact: run.artifact,
    folder: run.view.folder,
    previous: releases.previousOf(run),
    failedAt: run.view.failure ? (run.view.stages.at(-1)?.stage ?? null) : null,
    keptBuilds: releases.builds,
    kept: releases.kept(run.view.group).map(({ run: _run, ...kept }) => kept),
  });
  const live = new LiveStages({
    clock: host.clock,
    supervisor: host.supervisor,
    work,
    previousOf: (run) => releases.before(run),
    lookForErrors: (run, switchover) =>
      lookForErrors({ ...host, refusedKinds: releases.refusedKinds(run) }, run, switchover),
    watch: (run, switchover, phase, context) => {
      const refusedKinds = releases.refusedKinds(run);
      return watch({ ...host, refusedKinds }, { run, switchover, phase }, context);
    },
  });
  /** A plan leaves nothing behind. What it came to is on disk before: what is done again is the clearing away alone. */
  const concludeAndClear = async (run: ReleaseRun, context: StageContext): Promise<StageResult> => {
    const { view } = run;
    if (view.hash === null) {
      concludePlan(run, await work(run, 'preflight', context));
      await releases.save(run);
    }
    const { notes = [] } = await work(run, 'discard', context).catch((error: unknown): StageResult => {
      context.signal.throwIfAborted();
      return {
        notes: [`What was unpacked for the plan could not be cleared away: ${(error as Error).message}`],
      };
    });
    if (view.folder !== null && !existsSync(view.folder)) view.folder = null;
    return { notes };
  };
  const releases: Releases = new Releases({
    ...host,
    switchovers: () => host.supervisor.operations.list(Infinity).flatMap(({ release }) => release ?? []),
    perform: async (run, stage, context) => {
      if (!isForWorker(stage)) return live.perform(run, stage, context);
      if (stage === 'resolve') run.view.previous = releases.previousOf(run)?.id ?? null;
      if (run.view.kind === 'rollback') return performKept(run, stage, () => work(run, stage, context));
      if (run.view.kind === 'plan' && stage === 'preflight') return concludeAndClear(run, context);
      const result = await work(run, stage, context);
      if (stage === 'fetch' && !run.request.force && run.view.kind === 'release') {
        run.note(result);
        if (servesAlready(run, releases.before(run))) return NEEDLESS;
      }
      return stage === 'preflight' ? concludePlan(run, result) : result;
    },
    revert: (run, how, context) => live.revert(run, how, context),
    onClose: () => live.close(),
  });
  return releases;
}

function isForWorker(stage: ReleaseStage): stage is WorkerStage {
  return (IN_WORKER as readonly ReleaseStage[]).includes(stage);
}

const KEPT_HERE = 'kept on the host';

/** What is on the host is not looked for anywhere else; where its folder has gone, the build in the store is unpacked again. */
async function performKept(
  run: ReleaseRun,
  stage: WorkerStage,
  work: () => Promise<StageResult>,
): Promise<StageResult> {
  const { folder, build, stages } = run.view;
  // What was unpacked again is not there before it is installed.
  const isWhole = folder !== null && existsSync(folder) && readRecord(folder)?.isReady !== false;
  const isUnpacked = stages.some((each) => each.stage === 'stage' && each.text !== KEPT_HERE);
  if (stage === 'preflight') return isUnpacked ? work() : { text: 'it has served here before' };
  if (isWhole) return { text: KEPT_HERE };
  if (stage === 'stage' || stage === 'install') return work();
  if (run.artifact !== null && existsSync(run.artifact)) return { text: 'kept in the store' };
  throw new UpkeepError(
    'release-failed',
    `Cannot go back to ${build?.version ?? build?.commit ?? 'it'}: neither its folder nor its build is on this host any more`,
    { hint: `release it again: upkeep release ${run.view.group} --commit ${build?.commit ?? '<sha>'}` },
  );
}

/** The same build by the same description. */
function servesAlready({ view, spec }: ReleaseRun, current: ReleaseRun | undefined): boolean {
  if (!current || current.view.build?.sha256 !== view.build?.sha256) return false;
  if (!isSameDescription(current.spec, spec)) return false;
  view.folder = null;
  view.notes.push(`release ${current.id} serves this build already; --force releases it again`);
  return true;
}

const LOAD_BALANCER = 'host: load-balancer ';

/** What an approval is for. */
function concludePlan(run: ReleaseRun, result: StageResult): StageResult {
  const { view, spec, request } = run;
  run.note(result);
  const { build, keys } = view;
  // Which other hosts serve just now is not what was approved.
  const checks = view.checks.filter(({ name }) => !name.startsWith(LOAD_BALANCER));
  const text = JSON.stringify([
    build?.sha256,
    withoutShell(spec),
    keys,
    checks.map(({ name, verdict }) => [name, verdict]),
  ]);
  view.hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  if (request.planHash !== undefined && request.planHash !== view.hash) {
    throw new UpkeepError(
      'release-refused',
      `Cannot release "${view.group}": what would be done is plan ${view.hash}, not ${request.planHash}`,
      { hint: `look at it again: upkeep release plan ${view.group}` },
    );
  }
  return {};
}
