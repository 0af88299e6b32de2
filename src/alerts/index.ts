export { Alerts, type AlertsHost } from './alerts.js';
