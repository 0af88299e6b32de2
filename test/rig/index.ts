export { app, CLI } from './paths.js';
export { Rig } from './rig.js';
export { assertConforms, assertRefusalConforms, ConformingClient } from './conforming-client.js';
export { Program, type Outcome } from './program.js';
export type { Puppet } from './puppet.js';
export { until } from './until.js';
export { freePort } from './free-port.js';
export { assertSucceeded, failureOf } from './expect.js';
