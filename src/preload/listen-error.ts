/**
 * A listen() that fails is the error that people meet, and its stack is printed when nobody handles it: what
 * stands between Node and Node there is taken out again.
 */
import { attempt } from './attempt.js';

/** So that as many of the others are kept as ever. */
const OUR_FRAMES = 3;

/** Node makes the error and tells it in the next turn. */
export function withCleanError(listen: () => void): void {
  const { nextTick } = process;
  const clean: typeof nextTick = (callback: Function, ...values: unknown[]) => {
    // Not at once: V8 words a stack when it is read first, from what its objects are like then.
    for (const value of values) if (value instanceof Error) nextTick(() => attempt(() => cleanStack(value)));
    nextTick(callback, ...values);
  };
  const { stackTraceLimit } = Error;
  process.nextTick = clean;
  Error.stackTraceLimit = stackTraceLimit + OUR_FRAMES;
  try {
    listen();
  } finally {
    process.nextTick = nextTick;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function cleanStack(error: Error): void {
  const { stack } = error;
  if (typeof stack !== 'string' || !stack.includes(__filename)) return;
  const frames = stack.split('\n').filter((line) => !line.includes(__filename));
  error.stack = frames
    .join('\n')
    .replace('at Server.setupListenHandle (', 'at Server.setupListenHandle [as _listen2] (');
}
