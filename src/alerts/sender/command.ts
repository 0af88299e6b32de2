/** Runs a command for each notice, which gets it as JSON on stdin. */
import { spawn } from 'node:child_process';
import type { AlertTarget, Notice } from '../../protocol/index.js';
import type { Send } from './main.js';
import { Refused } from './refused.js';

const TIMEOUT_MS = 30_000;

type Command = Extract<AlertTarget, { via: 'command' }>;

export function run(command: Command): Send {
  return (notice) => runOnce(command, notice);
}

function runOnce({ argv, cwd }: Command, notice: Notice): Promise<void> {
  const [program, ...args] = argv as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => undefined); // it need not read it
    child.stdin.end(`${JSON.stringify(notice)}\n`);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else if (code === null) reject(new Error(`the command ended with ${signal}`));
      else reject(new Refused(`the command ended with exit code ${code}`));
    });
  });
}
