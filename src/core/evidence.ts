/** Words what an instance was doing when it was found failing. */
import type { Evidence, StackFrame } from '../protocol/index.js';

/** Internals of Node and libraries say less than the application's own code. */
const FOREIGN = /^node:|\/node_modules\//;
const MOST_KINDS = 4;

/** Stands for the stack of a process that the look itself has ended. */
export const ENDED_BY_LOOK =
  'the signal that opens its inspector (SIGUSR1) interrupted it, and it ended by that';

export function summarizeEvidence(seen: Omit<Evidence, 'summary' | 'at' | 'pid'>): string {
  const { frames, resources, answers, state, waitsIn } = seen;
  const frame = frames.find(({ file }) => file !== '' && !FOREIGN.test(file)) ?? frames[0];
  if (frame) return `runs in ${wordFrame(frame)}`;
  if (answers === true) {
    const what = wordResources(resources ?? {});
    return `its event loop answers${what === '' ? '' : `, and waits for ${what}`}`;
  }
  if (state === null) return 'it has ended';
  return waitsIn === null ? `is in state ${state}` : `waits in ${waitsIn} of the kernel`;
}

/** `spin (app.js:12)` */
export function wordFrame({ name, file, line }: StackFrame): string {
  const place = `${file === '' ? 'eval' : file.slice(file.lastIndexOf('/') + 1)}:${line}`;
  return `${name === '' ? '(anonymous)' : name} (${place})`;
}

/** What has been asked for and did not come is more telling than sockets that are open. */
const TELLING = /Req|Wrap$|Timeout/;
const IDLE = /^(?:PipeWrap|TCPServerWrap|PipeServerWrap|SignalWrap|TTYWrap|FSEventWrap)$/;

function wordResources(resources: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(resources).filter(([kind]) => TELLING.test(kind) && !IDLE.test(kind));
  kinds.sort(([, a], [, b]) => b - a);
  return kinds
    .slice(0, MOST_KINDS)
    .map(([kind, count]) => `${count} × ${WORDS[kind] ?? kind}`)
    .join(', ');
}

const WORDS: Readonly<Record<string, string>> = {
  GetAddrInfoReqWrap: 'a DNS look-up',
  TCPSocketWrap: 'a TCP connection',
  TCPConnectWrap: 'a connection that is being made',
  TLSWrap: 'a TLS connection',
  FSReqCallback: 'a file operation',
  FSReqPromise: 'a file operation',
  ProcessWrap: 'a child process',
  Timeout: 'a timer',
};
