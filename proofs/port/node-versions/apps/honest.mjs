import { ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { tell } from './tell.cjs';

console.log(typeof createServer, typeof spawn, ChildProcess.prototype.spawn.length);
tell();
