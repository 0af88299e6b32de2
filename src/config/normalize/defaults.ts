/** What holds when nothing is said. */
import type { RestartSpec, StopSpec } from '../../protocol/index.js';

export const RESTART: RestartSpec = {
  policy: 'always',
  stopExitCodes: [],
  delayMs: 100,
  maxDelayMs: 15_000,
  stableMs: 10_000,
  limit: 10,
  windowMs: 120_000,
  retryMs: 60_000,
};

export const STOP: StopSpec = { signal: 'SIGTERM', graceMs: 10_000, killScope: 'tree' };

export const READY_TIMEOUT_MS = 30_000;

export const HEALTH = { intervalMs: 5000, timeoutMs: 2000, failures: 3 } as const;

export const WATCH = { paths: ['.'], ignore: ['node_modules', '.git'], delayMs: 200 } as const;
