export { Load } from './load.js';
export { monotonicMs } from './monotonic.js';
export type { ClientDescription, LoadDescription } from './description.js';
export {
  total,
  type ClientReport,
  type Counters,
  type Failure,
  type FailureClass,
  type LoadReport,
  type StreamEnd,
} from './report.js';
