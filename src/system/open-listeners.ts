/** Which processes of a tree listen where, from /proc/net and their open files. */
import { readFileSync } from 'node:fs';
import { holdsSocket } from './listener.js';

const LISTEN = '0A';

export interface OpenListener {
  readonly pid: number;
  /** Numeric. */
  readonly address: string;
  readonly port: number;
}

/** TCP sockets that listen and are open in one of these processes. */
export function readListeners(pids: readonly number[]): OpenListener[] {
  const sockets = [...tcpListeners('/proc/net/tcp'), ...tcpListeners('/proc/net/tcp6')];
  return pids.flatMap((pid) =>
    sockets
      .filter(({ inode }) => holdsSocket(pid, new Set([inode])))
      .map(({ address, port }) => ({ pid, address, port })),
  );
}

function tcpListeners(file: string): { inode: string; address: string; port: number }[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    return []; // a machine without IPv6
  }
  const lines = text.split('\n').slice(1);
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [address = '', port = ''] = (fields[1] ?? '').split(':');
    if (fields[3] !== LISTEN) return [];
    return [{ inode: fields[9]!, address: wordHexAddress(address), port: Number.parseInt(port, 16) }];
  });
}

/** Words of 4 bytes, each in the order of the machine. */
function wordHexAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  if (bytes.every((byte) => byte === '00')) return '::';
  const groups = bytes.flatMap((byte, at) => (at % 2 === 0 ? [`${byte}${bytes[at + 1]}`.toLowerCase()] : []));
  return groups.map((group) => group.replace(/^0{1,3}/, '')).join(':');
}
