export { makeCurrent, readCurrent } from './current.js';
export { currentIn } from './names.js';
export { lastIn } from './record.js';
