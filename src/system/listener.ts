/** Who listens on a TCP port, from /proc/net and the open files of processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { readProcess } from './process-table.js';

const LISTEN = '0A';
/** As /proc cuts it. */
const SHIM_NAME = 'upkeep-shim';

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

/**
 * The process that listens on the port: undefined where nobody does, pid null where it cannot be seen who. Of several
 * that share the socket, one that is no shim: those only hold it for others.
 */
export function findListener(port: number): { readonly pid: number | null } | undefined {
  const inodes = listeningSockets(port);
  if (inodes.size === 0) return undefined;
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const holders = pids.filter((pid) => holdsSocket(pid, inodes));
  return { pid: holders.find((pid) => readProcess(pid)?.name !== SHIM_NAME) ?? holders[0] ?? null };
}

/** Ports that the process listens on, at 127.0.0.1; undefined where it has ended, or its files are not ours to see. */
export function loopbackPorts(pid: number): ReadonlySet<number> | undefined {
  const ports = new Map<string, number>();
  try {
    for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [address, port = ''] = fields[1]?.split(':') ?? [];
      if (fields[3] === LISTEN && address === LOOPBACK) ports.set(fields[9]!, parseInt(port, 16));
    }
    const held = new Set<number>();
    for (const entry of readdirSync(`/proc/${pid}/fd`)) {
      const inode = socketInode(`/proc/${pid}/fd/${entry}`);
      const port = inode === undefined ? undefined : ports.get(inode);
      if (port !== undefined) held.add(port);
    }
    return held;
  } catch {
    return undefined;
  }
}

/** 127.0.0.1, as /proc writes it on a little-endian machine. */
const LOOPBACK = '0100007F';

function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    return undefined; // closed meanwhile
  }
}
