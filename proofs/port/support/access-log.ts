/** What apps/express5 has written down, line by line as it happened; what a crash leaves behind is complete. */
import { readFileSync } from 'node:fs';

export interface Entry {
  readonly what: 'connection' | 'request' | 'crash';
  readonly pid: number;
  /** Of the client. */
  readonly port: number;
  /** That of the request; how, for a crash. */
  readonly id: string;
  /** Monotonic, see load/monotonic.ts. */
  readonly at: number;
}

export function readAccessLog(path: string): Entry[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [what, pid, port, id, at] = line.split(' ');
    return { what: what as Entry['what'], pid: Number(pid), port: Number(port), id: id!, at: Number(at) };
  });
}
