/** Says goodbye and then listens a little: a close() with unread data resets the connection, and what was sent is lost. */
import { attempt } from './attempt.js';
import type { SocketInternals } from './internals.js';
import { setTimeout } from './timers.js';

const LINGER_MS = 1000;
const lingering = new WeakSet<SocketInternals>();

export function lingers(socket: SocketInternals): boolean {
  return lingering.has(socket);
}

export function linger(socket: SocketInternals): void {
  if (lingering.has(socket)) return;
  lingering.add(socket);
  // From when all is sent, which a slow client decides.
  socket.end(() => setTimeout(() => attempt(() => socket.destroy()), LINGER_MS).unref());
  socket.resume();
}
