/** The daemon's own words, for <home>/daemon.log: the only place on its side that words events. */
import type { NewEvent, UpkeepError } from '../protocol/index.js';

export type DaemonLog = (message: string) => void;

export function createLog(write: (text: string) => void, wall: () => Date): DaemonLog {
  return (message) => write(`${wall().toISOString()} ${message}\n`);
}

export function wordError({ message, hint }: UpkeepError): string {
  return hint === undefined ? message : `${message}\n  hint: ${hint}`;
}

/** undefined: not worth a line. */
export function wordEvent(event: NewEvent): string | undefined {
  switch (event.type) {
    case 'daemon-started':
      return `daemon ${event.version} started, pid ${event.pid}`;
    case 'daemon-stopping':
      return `daemon stops: ${event.reason}`;
    case 'state-recovered':
      return `state: ${event.detail}`;
    case 'instance-exited':
      return `${event.service}.${event.instance} attempt ${event.attempt}: ${event.exit.reason}`;
    case 'instance-adopted':
      return `${event.service}.${event.instance} attempt ${event.attempt} taken back, pid ${event.pid}`;
    case 'warning':
      return `warning: ${event.service === null ? '' : `${event.service}: `}${event.message}`;
    case 'error-kind-new':
      return `${event.service}: new error: ${event.title}`;
    case 'memory-growth':
      return `${event.service} ${event.isGrowing ? 'grows in memory' : 'grows in memory no more'}`;
    case 'certificate':
      return `${event.service}: a certificate ${wordCertificate(event)}`;
    case 'disk':
      return `the disk of ${event.path} ${event.isShort ? 'is about to be full' : 'has room again'}`;
    case 'operation':
      return `operation ${event.operation} (${event.kind}) ${event.status}`;
    case 'release':
      return `release ${event.release} of ${event.group}: ${event.stage ?? event.status}${event.reason === null ? '' : `: ${event.reason}`}`;
    case 'service-created':
    case 'service-updated':
    case 'service-deleted':
      return undefined;
    case 'exit-explained':
      return `${event.service}.${event.instance} attempt ${event.attempt}: why: ${event.summary}`;
    case 'server-killed':
      return `${event.service}.${event.instance} attempt ${event.attempt}: server killed: ${event.summary}`;
    case 'instance-status':
    case 'instance-restarting':
    case 'instance-health':
      return undefined;
  }
}

function wordCertificate({ isExpiring, shown }: Extract<NewEvent, { type: 'certificate' }>): string {
  if (isExpiring) return `expires soon: ${shown?.expiresAt}`;
  return shown ? 'is well again' : 'is not looked at any more';
}
