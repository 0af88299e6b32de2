/** What ends a command that would go on for long: ctrl-C, or nobody reading its output any longer. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 130 after ctrl-C, as shells know it; 0 otherwise. */
  readonly exitCode: number;
}

const EXIT_AFTER_SIGINT = 130;

export function onInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode = 0;
  process.once('SIGINT', () => {
    exitCode = EXIT_AFTER_SIGINT;
    controller.abort();
  });
  process.stdout.once('error', () => controller.abort());
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}
