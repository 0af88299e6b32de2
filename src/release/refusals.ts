/** Why a release, or a way back, is not begun: each names who or what is in the way, and the next step. */
import { UpkeepError, type ReleaseView } from '../protocol/index.js';
import { mostSimilar } from '../util/index.js';

export function unknownGroup(group: string, known: Iterable<string>): UpkeepError {
  const near = mostSimilar(group, known);
  return new UpkeepError(
    'release-not-found',
    `Cannot release "${group}": its description is not known here`,
    {
      hint: near ? `did you mean "${near}"?` : `run upkeep release ${group} where its upkeep.config is`,
    },
  );
}

export function busy(
  kind: ReleaseView['kind'],
  group: string,
  { id, group: other, requester, stage }: ReleaseView,
): UpkeepError {
  const { service, instance, command } = requester;
  const who = service === null ? (command ?? 'somebody') : `${service}.${instance}`;
  const verb = kind === 'rollback' ? `roll "${group}" back` : `${kind} "${group}"`;
  return new UpkeepError(
    'release-locked',
    `Cannot ${verb}: release ${id} of "${other}" is being made (${stage ?? 'waiting'}), asked for by ${who}`,
    { hint: `follow it: upkeep release show ${id} --wait; give it up: upkeep release abort ${id}` },
  );
}

/** Its services can be changed again when it has ended. */
export function beingSwitched(service: string, { id, group, stage }: ReleaseView): UpkeepError {
  return new UpkeepError(
    'release-locked',
    `Cannot change "${service}": release ${id} of "${group}" is switching it (${stage ?? 'it is put back'})`,
    { hint: `follow it: upkeep release show ${id} --wait; give it up: upkeep release abort ${id}` },
  );
}

/** There are moments in which a release is neither. */
export function notToBeLeft({ id, group, stage }: ReleaseView): UpkeepError {
  const fact = stage === null ? 'it is being put back already' : `its instances are taking over (${stage})`;
  const hint =
    stage === null
      ? `see how it ends: upkeep release show ${id} --wait`
      : `once it has ended, go back with: upkeep rollback ${group}`;
  return new UpkeepError('not-running', `Cannot abort release ${id}: ${fact}`, { hint });
}
