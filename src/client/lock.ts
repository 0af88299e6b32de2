/** The lock of a home is held for as long as its daemon or the guardian lives, also when they no longer answer. */
import { spawn } from 'node:child_process';
import { existsSync, utimesSync } from 'node:fs';
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

/** A guardian that waits before it starts a daemon again gives that up; see native/guard.c. */
export function discourageGuardian({ lock }: Home): void {
  const now = new Date();
  if (existsSync(lock)) utimesSync(lock, now, now);
}
