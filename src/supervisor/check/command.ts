/** Runs a command, and whatever it starts, no longer than it may take. */
import { spawn } from 'node:child_process';
import { killGroup } from '../../system/index.js';
import type { CheckResult, CheckTarget } from './target.js';

export function checkCommand(
  argv: readonly string[],
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckResult> {
  const [program, ...args] = argv as [string, ...string[]];
  const words = argv.join(' ');
  return new Promise((resolve) => {
    // A group of its own: what it has started ends with it. No pipes: nobody waits for who holds one.
    const child = spawn(program, args, {
      cwd: target.cwd,
      env: target.env(),
      stdio: 'ignore',
      detached: true,
    });
    const end = (isSuccess: boolean, detail: string): void => {
      clearTimeout(timer);
      resolve({ isSuccess, detail: `${words}: ${detail}` });
    };
    const timer = setTimeout(() => {
      end(false, `no end within ${timeoutMs} ms`);
      killGroup(child.pid);
    }, timeoutMs);
    child.on('error', (error) => end(false, error.message));
    child.on('exit', (code, signal) => end(code === 0, signal ?? `exit code ${String(code)}`));
    child.unref();
  });
}
