/** What a worker can be asked to do. */
import type { HookPoint } from '../../protocol/index.js';
import { runHooks } from '../command/run-hooks.js';
import { installDependencies } from '../install/install-dependencies.js';
import type { Stage } from '../job.js';
import { preflight } from '../preflight/preflight.js';
import { fetchBuild, resolveBuild } from '../source/index.js';
import { stageBuild } from '../stage/stage-build.js';
import { clearAway, discard } from './clear-away.js';
import type { TaskName } from './message.js';

export const TASKS: Readonly<Partial<Record<TaskName, Stage>>> = {
  resolve: resolveBuild,
  fetch: fetchBuild,
  stage: stageBuild,
  install: installDependencies,
  preflight,
  'hooks beforeSwitch': hooks('beforeSwitch'),
  'hooks afterSwitch': hooks('afterSwitch'),
  'hooks afterRelease': hooks('afterRelease'),
  'hooks onFailure': hooks('onFailure'),
  prune: clearAway,
  discard,
};

function hooks(point: HookPoint): Stage {
  return async (job, context) => {
    await runHooks(point, job, context, job.failedAt ? { stage: job.failedAt } : {});
    return {};
  };
}
