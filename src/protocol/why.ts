/** Why attempts ended: the shapes behind `upkeep why`. */
import * as v from 'valibot';
import { ExitView } from './service.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());

/**
 * `asked` upkeep was told to end it. `signal` somebody else sent one. `time-limit` timeout(1) did. `out-of-work` nothing was
 * left for Node to wait for. `parent-died` the shim that it ran below. `exec-max-buffer`, `exec-timeout` its parent's
 * child_process. `native-crash` in code that is no JavaScript. `unknown` nothing tells.
 */
export const EXIT_CAUSES = [
  'asked',
  'memory-limit',
  'unhealthy',
  'not-ready',
  'signal',
  'time-limit',
  'kernel-oom',
  'cgroup-oom',
  'heap-out-of-memory',
  'exec-max-buffer',
  'exec-timeout',
  'parent-died',
  'exception',
  'rejection',
  'port-taken',
  'module-missing',
  'file-missing',
  'permission-denied',
  'interpreter-missing',
  'environment-missing',
  'syntax-error',
  'native-crash',
  'exit-call',
  'exit-code',
  'out-of-work',
  'spawn-failed',
  'unknown',
] as const;
export type ExitCause = (typeof EXIT_CAUSES)[number];

/** `certain` several sources or the kernel say so. `likely` it fits, and nothing contradicts. `unknown` that much is open. */
export const CONFIDENCES = ['certain', 'likely', 'unknown'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** Who did it, as far as it could still be seen. */
export const Culprit = v.strictObject({
  pid: v.number(),
  /** As the kernel calls it. */
  name: v.string(),
  /** Whose it is. `itself` the process that ended; `tree` another one of the same attempt; `unknown` it had ended. */
  place: v.picklist(['itself', 'tree', 'upkeep', 'outside', 'unknown']),
  /** null: it had ended before upkeep looked. */
  command: v.nullable(v.string()),
  uid: v.nullable(v.number()),
  startedAt: v.nullable(timestamp),
  /** Its parents, nearest first: `bash 4121`. */
  parents: v.array(v.string()),
});
export type Culprit = v.InferOutput<typeof Culprit>;

export const Verdict = v.strictObject({
  cause: v.picklist(EXIT_CAUSES),
  /** One sentence for a person. */
  summary: v.string(),
  confidence: v.picklist(CONFIDENCES),
  by: v.nullable(Culprit),
  /** What the verdict rests on. */
  evidence: v.array(v.strictObject({ source: v.string(), fact: v.string() })),
  /** Sources that would have known more, and why they said nothing. */
  notAvailable: v.array(v.strictObject({ source: v.string(), fact: v.string() })),
  /** What to do. */
  hint: v.nullable(v.string()),
});
export type Verdict = v.InferOutput<typeof Verdict>;

export const ExplainedExit = v.strictObject({
  service: v.string(),
  instance: v.number(),
  attempt: v.number(),
  pid: v.nullable(v.number()),
  exit: ExitView,
  verdict: Verdict,
});
export type ExplainedExit = v.InferOutput<typeof ExplainedExit>;

/** The process that served was killed, and the wrapper in front of it lives on: by that wrapper, or by somebody else. */
export const KilledServer = v.strictObject({
  service: v.string(),
  instance: v.number(),
  attempt: v.number(),
  /** When it had ended, or was sent the signal. */
  at: timestamp,
  /** The one that served. */
  pid: v.number(),
  /** The one that was sent the signal: itself, or a process that it ran below. */
  child: v.number(),
  verdict: Verdict,
});
export type KilledServer = v.InferOutput<typeof KilledServer>;

/** Both newest first. */
export const WhyView = v.strictObject({
  exits: v.array(ExplainedExit),
  /** Not older than the attempts above; of living ones, too. */
  killedServers: v.array(KilledServer),
});
export type WhyView = v.InferOutput<typeof WhyView>;
