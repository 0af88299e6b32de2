/**
 * Whether a connection is taken. It is the kernel that takes it, so this says that somebody listens, and nothing of whether he
 * answers.
 */
import { connect } from 'node:net';
import { connectUnix } from '../../system/index.js';
import { privatePath, wordNobody, type CheckResult, type CheckTarget } from './target.js';

export interface TcpPlace {
  readonly host: string;
  readonly port: number;
}

export function checkTcp(
  { host, port }: TcpPlace,
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckResult> {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const way = privatePath(host, port, target);
  if (way === 'nobody') return Promise.resolve({ isSuccess: false, detail: wordNobody(place, port, target) });
  const { path } = way;
  return new Promise((resolve) => {
    const socket = path === undefined ? connect({ host, port }) : connectUnix(path);
    const end = (isSuccess: boolean, detail: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ isSuccess, detail });
    };
    const timer = setTimeout(() => end(false, `${place}: no connection within ${timeoutMs} ms`), timeoutMs);
    socket.on('connect', () => end(true, `${place} takes connections`));
    socket.on('error', (error) => end(false, `${place}: ${error.message}`));
  });
}
