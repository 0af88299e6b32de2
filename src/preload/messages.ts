/** `process.send('ready')` and the message "shutdown", for applications that were written for PM2. */
import { attempt } from './attempt.js';
import { setImmediate } from './timers.js';

type Send = (message: unknown, ...rest: unknown[]) => boolean;

export function hearReady(onReady: () => void): void {
  const original = process.send as Send | undefined;
  const send: Send = function (message, ...rest) {
    if (message === 'ready') attempt(onReady);
    if (original) return original.call(process, message, ...rest);
    const callback = rest.find((value) => typeof value === 'function') as ((error: null) => void) | undefined;
    if (callback) process.nextTick(callback, null);
    return true;
  };
  process.send = send as NonNullable<typeof process.send>;
}

/** In a turn of its own: what a listener throws is the application's affair. */
export function deliver(message: unknown): void {
  setImmediate(() => process.emit('message', message, undefined));
}
