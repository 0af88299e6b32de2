export { Client, hasEndedMidway, isAnswering, type Dial, type RequestOptions } from './client.js';
export { connectIfUsed, connectOnly, connectOrStart, isUnusedHome } from './connect.js';
export { homeFrom, type Home } from './home.js';
export { discourageGuardian, isLocked } from './lock.js';
export { ownPackage } from './package.js';
