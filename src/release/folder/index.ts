export { makeCurrent, readCurrent } from './current.js';
