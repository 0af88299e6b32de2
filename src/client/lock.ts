/** A daemon holds the lock of its home for as long as its process lives, also when it no longer answers. */
import { spawn } from 'node:child_process';
import type { Home } from './home.js';
import { shimPath } from './package.js';

/** What the shim exits with where somebody else holds the lock. */
export const EXIT_LOCKED = 75;

/** Takes the lock for a moment to find out. */
export function isLocked(home: Home): Promise<boolean> {
  return new Promise((onExit, onError) => {
    const child = spawn(shimPath(), ['lock', home.lock, '--', '/bin/sh', '-c', ':'], { stdio: 'ignore' });
    child.once('exit', (code) => onExit(code === EXIT_LOCKED));
    child.once('error', onError);
  });
}
