/** Words what happened, one line an event. */
import type { ExitView, OperationSummary, UpkeepEvent } from '../../protocol/index.js';
import { formatBytes, formatDuration, unreachable } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import { shortId } from './error-id.js';
import { wordEnd } from './exit.js';
import { wordNames } from './operation.js';
import { formatTime } from './time.js';

export function formatEvent(event: UpkeepEvent): string {
  return `${outColors.dim(formatTime(event.at))}  ${paintOf(event)(wordEvent(event))}`;
}

export function wordEvent(event: UpkeepEvent): string {
  switch (event.type) {
    case 'daemon-started':
      return `daemon ${event.version} started with pid ${event.pid}`;
    case 'daemon-stopping':
      return `daemon with pid ${event.pid} is ending: ${event.reason}`;
    case 'state-recovered':
      return `state recovered: ${event.detail}`;
    case 'service-created':
      return `${event.service} created`;
    case 'service-updated':
      return `${event.service} updated: ${event.keys.join(', ')}`;
    case 'service-deleted':
      return `${event.service} deleted`;
    case 'instance-status':
      return `${instanceOf(event)} ${event.from} -> ${event.to}${event.pid === null ? '' : `, pid ${event.pid}`}`;
    case 'instance-adopted':
      return `${instanceOf(event)} taken back, pid ${event.pid}`;
    case 'instance-exited':
      return `${instanceOf(event)} ${wordExited(event.exit)}`;
    case 'exit-explained':
      return `${instanceOf(event)} why: ${event.summary}`;
    case 'server-killed':
      return `${instanceOf(event)} no longer has the process that served (pid ${event.pid}): ${event.summary}`;
    case 'instance-restarting':
      return `${instanceOf(event)} restarts ${whenOf(event.delayMs)}: ${event.reason}`;
    case 'instance-health':
      return `${instanceOf(event)} ${wordHealth(event)}`;
    case 'operation':
      return wordOperation(event);
    case 'release':
      return `release ${event.release} of ${event.group}: ${event.stage ?? event.status}${event.reason === null ? '' : `: ${event.reason}`}`;
    case 'error-kind-new':
      return `${event.service} has a new error: ${event.title} (upkeep errors show ${shortId(event.id)})`;
    case 'memory-growth':
      return `${event.service} ${wordGrowth(event)}`;
    case 'certificate':
      return wordCertificate(event);
    case 'disk':
      return `the disk of ${event.path} ${event.isShort ? 'is about to be full' : 'has room again'}: ${formatBytes(event.freeBytes)} of ${formatBytes(event.totalBytes)} and ${event.freeInodes} inodes are free`;
    case 'warning':
      return `warning: ${event.service === null ? '' : `${event.service}: `}${event.message}`;
    default:
      return unreachable(event);
  }
}

function wordHealth({
  healthy,
  detail,
  because,
  action,
}: Extract<UpkeepEvent, { type: 'instance-health' }>): string {
  if (healthy) return `healthy: ${detail}`;
  const why = because === undefined ? '' : `, because ${because}`;
  return `unhealthy: ${detail}${why}${action === 'none' ? ' (nothing is done about it)' : ''}`;
}

function wordGrowth(event: Extract<UpkeepEvent, { type: 'memory-growth' }>): string {
  const { isGrowing, rssBytes, bytesPerHour, bound, reachedAt } = event;
  if (!isGrowing) return `grows in memory no more, it has ${formatBytes(rssBytes)}`;
  const end = bound === 'limit' ? 'its limit' : 'the end of what the machine has';
  return `grows in memory by ${formatBytes(bytesPerHour)} an hour: ${formatBytes(rssBytes)} now, ${end} at ${formatTime(reachedAt!)}`;
}

function wordCertificate(event: Extract<UpkeepEvent, { type: 'certificate' }>): string {
  const { service, host, port, isExpiring, shown } = event;
  if (!shown) return `${service}: the certificate at ${host}, port ${port}, is not looked at any more`;
  const { subject, expiresAt } = shown;
  return `${service}: the certificate for ${subject} at ${host}, port ${port}, ${isExpiring ? 'expires soon' : 'is well'}: ${expiresAt}`;
}

function wordExited(exit: ExitView): string {
  const words = `${exit.reason}, after ${formatDuration(exit.livedMs)}`;
  return exit.error ? `${words}: ${wordEnd(exit)}` : words;
}

function instanceOf({ service, instance }: { service: string; instance: number }): string {
  return `${service}.${instance}`;
}

function whenOf(delayMs: number): string {
  return delayMs === 0 ? 'at once' : `in ${formatDuration(delayMs)}`;
}

function wordOperation({ operation, kind, status, services }: OperationSummary): string {
  return `operation ${operation} ${status}: ${kind} ${wordNames(services)}`.trimEnd();
}

function paintOf(event: UpkeepEvent): Paint {
  if (event.type === 'warning' || event.type === 'state-recovered') return outColors.yellow;
  const isBad =
    event.type === 'error-kind-new' ||
    event.type === 'server-killed' ||
    (event.type === 'disk' && event.isShort) ||
    (event.type === 'certificate' && event.isExpiring) ||
    (event.type === 'memory-growth' && event.isGrowing) ||
    (event.type === 'instance-health' && !event.healthy) ||
    (event.type === 'instance-status' && event.to === 'crashed') ||
    (event.type === 'operation' && event.status === 'failed');
  return isBad ? outColors.red : String;
}
