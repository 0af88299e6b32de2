export { settle } from './settle.js';
export { extractArchive, type ExtractOptions } from './archive/extract-archive.js';
export type { Extracted } from './archive/extract.js';
export { DEFAULT_LIMITS, type ArchiveLimits } from './archive/limits.js';
export * from './verify/index.js';
export * from './traffic/index.js';
