/** What a shim is told of how much it may write. */
import type { ServiceSpec } from '../protocol/index.js';
import type { LogLimits } from '../system/index.js';

const STREAMS = 2;
/** A shim writes as much at a time: smaller files would not be kept. */
const LEAST_BYTES = 64 * 1024;

export function logLimits({ logs, instances }: Pick<ServiceSpec, 'logs' | 'instances'>): LogLimits {
  const files = STREAMS * (logs.perInstance ? Math.max(1, instances) : 1);
  return {
    isOwn: logs.perInstance,
    // Half of all is left for files that were moved aside.
    maxBytes: Math.max(LEAST_BYTES, Math.min(logs.maxFileBytes, Math.floor(logs.maxTotalBytes / 2 / files))),
    keep: logs.maxFiles,
    totalBytes: logs.maxTotalBytes,
    rotateMs: logs.rotateEveryMs,
    keepMs: logs.maxAgeMs,
  };
}
