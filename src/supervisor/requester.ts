/** Finds out who asks: the client's process, and the managed service that it descends from, if any. */
import type { Requester } from '../protocol/index.js';
import { findCredentials, readCommand, readProcess, readUid } from '../system/index.js';

export interface ManagedInstance {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
}

const MAX_DEPTH = 64;

/** `byShim` finds the instance whose shim has this pid. Asked at once, because the client may be gone soon. */
export function identify(
  pid: number | undefined,
  byShim: (pid: number) => ManagedInstance | undefined,
): Requester {
  const nobody: Requester = {
    uid: null,
    pid: null,
    command: null,
    service: null,
    instance: null,
    attempt: null,
  };
  if (pid === undefined) return nobody;
  const client: Requester = { ...nobody, pid, uid: readUid(pid) ?? null, command: readCommand(pid) ?? null };
  let ancestor: number | undefined = pid;
  for (let depth = 0; depth < MAX_DEPTH && ancestor !== undefined && ancestor > 1; depth++) {
    const managed = byShim(ancestor);
    if (managed) return { ...client, ...managed };
    ancestor = readProcess(ancestor)?.parent;
  }
  return client;
}

/** In a word: a service, a user. */
export function nameOf({ service, instance, uid }: Requester): string {
  if (service !== null) return `${service}.${instance}`;
  return uid === null ? 'unknown' : (findCredentials(String(uid), null)?.name ?? `uid ${uid}`);
}
