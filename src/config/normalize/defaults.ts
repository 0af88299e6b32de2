/** What holds when nothing is said. */
import {
  DEFAULT_EVENT_LOOP,
  DEFAULT_HEALTH,
  DEFAULT_LOGS,
  type PolicyRule,
  type PolicySpec,
  type ReloadSpec,
  type RestartSpec,
  type SocketsSpec,
  type StopSpec,
} from '../../protocol/index.js';

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

export const STOP: StopSpec = {
  signal: 'SIGTERM',
  drainMs: 10_000,
  graceMs: 10_000,
  message: false,
  killScope: 'tree',
};

export const SOCKETS: SocketsSpec = { inherit: 'auto', holdMs: 30_000, paths: [] };

export const RELOAD: ReloadSpec = { maxSurge: 1, maxUnavailable: 0, stableMs: 1000, verify: null };

export const VERIFY_TIMEOUT_MS = 10_000;

export const READY_TIMEOUT_MS = 30_000;

export const HEALTH = {
  intervalMs: 5000,
  timeoutMs: 2000,
  failures: 3,
  ...DEFAULT_HEALTH,
} as const;

export const EVENT_LOOP = DEFAULT_EVENT_LOOP;

export const LOGS = DEFAULT_LOGS;

export const WATCH = { paths: ['.'], ignore: ['node_modules', '.git'], delayMs: 200 } as const;

export const HOOK_TIMEOUT_MS = 5 * 60_000;

export const INSTALL_TIMEOUT_MS = 10 * 60_000;

export const REQUIREMENT_TIMEOUT_MS = 10_000;

export const KEEP = 5;

export const RELEASE_VERIFY = {
  stableMs: 2000,
  canary: { instances: 1, forMs: 30_000 },
  forMs: 30_000,
  bakeMs: 60_000,
  minRequests: 200,
  alpha: 0.01,
  holdMs: 5 * 60_000,
} as const;

/** What is wrong without doubt refuses a release; what may be meant so warns. */
export const DEFAULT_RULES: Readonly<Record<PolicyRule, PolicySpec['rules'][string]>> = {
  'test-build': 'refuse',
  commit: 'refuse',
  'dirty-build': 'refuse',
  'version-tag': 'refuse',
  downgrade: 'refuse',
  'node-env': 'refuse',
  'debug-port': 'refuse',
  'debug-logging': 'refuse',
  'example-value': 'warn',
  localhost: 'warn',
  'test-host': 'warn',
};
