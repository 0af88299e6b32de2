/** What `import … from 'upkeep'` gives: types for configuration files, and releases for programs, also for a managed one about itself. */
export { defineConfig, defineRelease } from '../config/index.js';
export type * from '../config/index.js';
export { lastRelease, release, rollback, type ReleaseOptions, type ReleaseResult } from './release.js';
