export { History, type HistoryHost } from './history.js';
