/** What the work comes to; undefined: it took longer, or failed. Nothing of it keeps a process alive afterwards. */
export async function within<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([work.catch(() => undefined), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What the work comes to that is told, by its signal, to end after `limitMs` or as soon as `signal` is aborted.
 * With a timer of its own: the collector takes an `AbortSignal.timeout()` that only `AbortSignal.any()` holds, and it never falls
 * (nodejs/node#57736).
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`it took longer than ${limitMs} ms`)), limitMs);
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}
