/**
 * What the home knows of its releases, in one file of lines: each step of a release is written, and on disk, before anything of it
 * is done. A daemon that comes after a killed one reads where each release was and goes on from there.
 */
import * as v from 'valibot';
import type { ReleaseState } from '../core/index.js';
import { RELEASE_STAGES, ReleaseRequest, ReleaseSpec, ReleaseView } from '../protocol/index.js';
import type { Journal } from '../store/index.js';
import type { BuildChoice } from './job.js';

const stage = v.picklist(RELEASE_STAGES);

const State: v.GenericSchema<unknown, ReleaseState> = v.variant('id', [
  v.object({ id: v.literal('waiting') }),
  v.object({ id: v.literal('at'), stage }),
  v.object({
    id: v.literal('reverting'),
    how: v.picklist(['dismiss', 'switch-back']),
    from: stage,
    outcome: v.picklist(['failed', 'rolled-back', 'aborted']),
  }),
  v.object({
    id: v.literal('ended'),
    outcome: v.picklist(['succeeded', 'failed', 'rolled-back', 'aborted']),
  }),
]);

const Choice: v.GenericSchema<unknown, BuildChoice> = v.object({
  from: v.string(),
  commit: v.nullable(v.string()),
  version: v.nullable(v.string()),
  identity: v.nullable(v.string()),
  sha256: v.nullable(v.string()),
  place: v.record(v.string(), v.string()),
});

/** What a release has come to; its description stands in the line that accepted it. */
const Step = v.object({
  type: v.literal('step'),
  state: State,
  view: ReleaseView,
  /** In the store; null: not fetched yet. */
  artifact: v.nullable(v.string()),
  /** Which build it is at its source; null: that is not known yet. */
  choice: v.nullable(Choice),
});
export type StepLine = v.InferOutput<typeof Step>;

const Accepted = v.object({
  ...Step.entries,
  type: v.literal('accepted'),
  request: ReleaseRequest,
  spec: ReleaseSpec,
});
export type AcceptedLine = v.InferOutput<typeof Accepted>;

/** The description of a group that was used last. */
const Group = v.object({ type: v.literal('group'), spec: ReleaseSpec });
export type GroupLine = v.InferOutput<typeof Group>;

export const ReleaseLine = v.variant('type', [Accepted, Step, Group]);
export type ReleaseLine = v.InferOutput<typeof ReleaseLine>;

export interface StoredReleases {
  /** By group. */
  readonly specs: Map<string, ReleaseSpec>;
  /** In the order of their numbers. */
  readonly releases: Map<string, AcceptedLine>;
}

/** What only looks whole is passed over. */
export function readReleases(journal: Journal, summarize: () => readonly ReleaseLine[]): StoredReleases {
  const specs = new Map<string, ReleaseSpec>();
  const releases = new Map<string, AcceptedLine>();
  for (const read of journal.read(summarize)) {
    const { success, output: line } = v.safeParse(ReleaseLine, read);
    if (!success) continue;
    if (line.type === 'group') specs.set(line.spec.name, line.spec);
    else if (line.type === 'accepted') {
      releases.set(line.view.id, line);
      // A rollback is made by the description of then, which is not how the group is to be from now on.
      if (line.view.kind !== 'rollback') specs.set(line.spec.name, line.spec);
    } else {
      const known = releases.get(line.view.id);
      if (known)
        releases.set(line.view.id, {
          ...known,
          state: line.state,
          view: line.view,
          artifact: line.artifact,
          choice: line.choice,
        });
    }
  }
  return { specs, releases };
}
