export { app, CLI, SDK } from './paths.js';
export { Rig } from './rig.js';
export {
  answered,
  answersOf,
  keepWaiting,
  pidsOf,
  releasable,
  Releasing,
  rolesOf,
  type Look,
  type ReleasingOptions,
} from './releasing.js';
export { Installation } from './installation.js';
export { assertConforms, assertRefusalConforms, ConformingClient } from './conforming-client.js';
export { Program, type Outcome } from './program.js';
export type { Puppet } from './puppet.js';
export { until } from './until.js';
export { Database, unlessDatabases } from './databases.js';
export { freePort } from './free-port.js';
export { Haproxy, unlessHaproxy, type HaproxyOptions } from './haproxy.js';
export { NamedServer } from './named-server.js';
export { OtlpReceiver, readMetrics } from './otlp-receiver.js';
export { assertSucceeded, failureOf } from './expect.js';
export { isListening, isRefused, knock, Load, visit, type Visit } from './visit.js';
export { AT_ONCE, knockSlowly, learned, RELOAD, roles, serve } from './serve.js';
export { KINDS, makeBuild, type Build, type Kind } from './shop/builds.js';
export { Shop, type ShopOptions } from './shop/shop.js';
export {
  AT_ITS_END,
  afterAccepted,
  atStage,
  followTo,
  randomFrom,
  WHILE_PUT_BACK,
  type Moment,
} from './shop/moment.js';
export { tornFiles, whatIsNotWhole } from './shop/whole-state.js';
