import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';

const { tell } = createRequire(import.meta.url)('./tell.cjs') as { tell(): void };

console.log(typeof (createServer satisfies () => Server));
tell();
