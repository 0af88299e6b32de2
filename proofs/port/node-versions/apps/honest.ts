import { createServer, type Server } from 'node:http';

const { tell } = require('./tell.cjs') as { tell(): void };

console.log(typeof (createServer satisfies () => Server));
tell();
