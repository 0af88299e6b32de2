export { watchRelease, type WatchOptions, type WatchOutcome } from './watch-release.js';
export { askErrors, type ErrorsOptions } from './boot-errors.js';
export { askSmoke, type SmokeOptions } from './smoke.js';
export type { ReleaseErrors } from './new-kinds.js';
