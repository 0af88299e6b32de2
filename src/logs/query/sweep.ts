/** Keeps the memory small: V8 lets 64 MB of buffers that nobody needs any more come together before it frees them. */
const MAX_EXTERNAL_BYTES = 24 * 1024 * 1024;
/** Looking costs as much as some lines, and it may be that all of it is needed. */
const PAUSE_MS = 20;
let sweptAt = 0;

/** To be called often. Needs --expose-gc, and does nothing without it. */
export function sweep(): void {
  const { gc } = globalThis;
  if (!gc || performance.now() - sweptAt < PAUSE_MS) return;
  if (process.memoryUsage().external >= MAX_EXTERNAL_BYTES) gc();
  sweptAt = performance.now();
}
