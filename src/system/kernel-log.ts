/** What the kernel says of processes that it killed or that crashed: the ring behind dmesg, where it may be read. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isFirstPidNamespace, type Answer } from './signal-trace.js';

export interface KernelRecord {
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** By how much its time may be off: nobody corrects the clock of the log. */
  readonly slackMs: number;
  readonly text: string;
}

/** What processors' clocks are off by, at most, where the kernel has measured them. */
const DRIFT = 50e-6;

const RECORD_BYTES = 8192;
const HEADER = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/;

/** Records since the time given, oldest first. */
export function readKernelLog(since: number): Answer<readonly KernelRecord[]> {
  if (!isFirstPidNamespace())
    return { missing: 'the daemon runs in a pid namespace of its own (a container)' };
  let fd: number;
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const isDenied = ['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
    return { missing: isDenied ? 'only root may read it' : `it cannot be read: ${(error as Error).message}` };
  }
  try {
    return { found: readAll(fd, since) };
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, since: number): KernelRecord[] {
  // As the kernel's own, this clock stands still while the machine sleeps.
  const upMs = Number(process.hrtime.bigint()) / 1e6;
  const begin = Date.now() - upMs;
  const slackMs = upMs * DRIFT;
  const buffer = Buffer.allocUnsafe(RECORD_BYTES);
  const records: KernelRecord[] = [];
  for (;;) {
    let length: number;
    try {
      length = readSync(fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') continue; // overwritten while it was read
      return records; // EAGAIN: that was all
    }
    const match = HEADER.exec(buffer.toString('utf8', 0, length));
    const at = begin + Number(match?.[1]) / 1000;
    if (match && at + slackMs >= since) records.push({ at, slackMs, text: match[2]! });
  }
}
