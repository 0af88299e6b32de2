/** Looks for new kinds of errors in what new instances have written before any of them takes traffic, by the rules of the gate. */
import { judgeKinds } from '../../core/index.js';
import type { ReleaseCheck, VerifySpec } from '../../protocol/index.js';
import type { Switchover } from '../../supervisor/index.js';
import type { WatchOptions } from './watch-release.js';
import { NewKinds } from './new-kinds.js';

export interface ErrorsOptions extends Pick<WatchOptions, 'errors' | 'since' | 'refusedKinds'> {
  readonly spec: Pick<VerifySpec, 'newErrors'>;
  readonly switchover: Pick<Switchover, 'look'>;
}

/** Of each service that has new instances by now. What others wrote at the same time is judged when both serve. */
export async function askErrors(options: ErrorsOptions): Promise<readonly ReleaseCheck[]> {
  const { spec, switchover, errors, since, refusedKinds } = options;
  if (spec.newErrors === 'ignore') return [];
  const views = await switchover.look();
  const young = views.filter(({ side }) => side === 'new');
  await errors.catchUp(young);
  const kinds = new NewKinds(errors, since, refusedKinds).look(views);
  return [...new Set(young.map(({ service }) => service))].flatMap((service) => {
    const theirs = kinds.get(service)!.filter(({ by }) => by === 'new' || by === 'both');
    return judgeKinds({ service, kinds: theirs }, spec).map((finding): ReleaseCheck => {
      return { stage: 'boot', ...finding };
    });
  });
}
