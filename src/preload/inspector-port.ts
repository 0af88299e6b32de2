/** SIGUSR1 opens the inspector on a fixed port, which another process may have: a free one instead. */
import { attempt } from './attempt.js';

const WANTED = /^--(?:inspect|debug)/;

/** Not where the application was started to be debugged: its port is meant, and its children count from it. */
export function takeFreeInspectorPort(options: string | null): void {
  const words = process.execArgv.concat((options || '').split(' '));
  if (words.some((word) => WANTED.test(word))) return;
  attempt(() => {
    process.debugPort = 0;
  });
}
