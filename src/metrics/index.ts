export { highest, quantile } from './histogram.js';
export { measurementOf } from './measurement.js';
export { PROMETHEUS_TYPE } from './prometheus.js';
export { Samples } from './samples.js';
export { viewSample } from './view.js';
export { History, type HistoryHost } from './history.js';
export { SlowRequests } from './slow-requests.js';
export type { Period } from './availability.js';
