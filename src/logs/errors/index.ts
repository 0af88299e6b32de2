export { ErrorWatch, type ErrorWatchSetup } from './error-watch.js';
export { KnownErrors, type ErrorsQuery, type MuteOptions } from './known-errors.js';
