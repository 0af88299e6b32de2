export { resolveBuild } from './resolve.js';
export { fetchBuild } from './fetch.js';
