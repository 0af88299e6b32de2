/** What is shown of a release before anything of it is done. */
import type { ReleaseRequest, ReleaseView, Requester } from '../protocol/index.js';

export function newView(
  request: ReleaseRequest,
  kind: ReleaseView['kind'],
  requester: Requester,
): ReleaseView {
  return {
    id: '',
    group: request.group,
    services: [],
    kind,
    target: request.target,
    waive: request.waive,
    force: request.force,
    status: 'queued',
    stage: null,
    requester,
    joined: [],
    abortedBy: null,
    acceptedAt: '',
    finishedAt: null,
    progress: null,
    stages: [],
    candidates: [],
    build: null,
    folder: null,
    previous: null,
    restores: null,
    checks: [],
    keys: { added: [], removed: [], changed: [] },
    hash: null,
    failure: null,
    notes: [],
  };
}
