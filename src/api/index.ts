export { alertRoutes } from './routes/alerts.js';
export type { Exchange } from './exchange.js';
export { ApiServer, type ApiOptions, type Handler, type Handlers } from './server.js';
export { serviceRoutes } from './routes/services.js';
export { operationRoutes } from './routes/operations.js';
export { reportRoutes } from './routes/report.js';
export { eventRoutes } from './routes/events.js';
export { logRoutes } from './routes/logs.js';
export { errorRoutes } from './routes/errors.js';
