/** The preload is a guest: whatever goes wrong in it, the application does not hear of it. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // Nobody to tell: the channel itself may be what is broken.
    return undefined;
  }
}
