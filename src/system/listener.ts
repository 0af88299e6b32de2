/** Who listens on a TCP port, from /proc/net and the open files of processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/** Inodes of sockets that listen on the port, on any address. */
export function listeningSockets(port: number): Set<string> {
  const inodes = new Set<string>();
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = readFileSync(file, 'latin1');
    } catch {
      continue; // a machine without IPv6
    }
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTEN && fields[1]?.endsWith(`:${wanted}`)) inodes.add(fields[9]!);
    }
  }
  return inodes;
}

/** Whether the process holds one of these sockets; false where its files are not ours to see. */
export function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  let entries: string[];
  try {
    entries = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return false; // it has ended, or belongs to another user
  }
  return entries.some((entry) => {
    try {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${entry}`));
      return match !== null && inodes.has(match[1]!);
    } catch {
      return false; // closed meanwhile
    }
  });
}

/** The process that listens on the port: undefined where nobody does, pid null where it cannot be seen who. */
export function findListener(port: number): { readonly pid: number | null } | undefined {
  const inodes = listeningSockets(port);
  if (inodes.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && holdsSocket(pid, inodes)) return { pid };
  }
  return { pid: null };
}
