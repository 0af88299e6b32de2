/**
 * Lets the connections of this process end before it is stopped, without the application's doing.
 *
 *     begin ──▶ accepting (restart only) ──▶ waiting ──▶ drained (no connection left, or the deadline)
 *
 * - Nothing is known of connections before: they are found among the active handles, again at every look.
 * - The servers are not closed, only their handles: the application's own shutdown still finds what it expects.
 * - What kind of connection it is decides how it ends: connection.ts and its neighbours.
 */
import { attempt } from './attempt.js';
import { type Connection, ConnectionTable } from './connections.js';
import type { DrainRequest } from './control.js';
import { closeAfterResponses } from './drain-http.js';
import type { Listener } from './listener.js';
import { clearInterval, now, setInterval } from './timers.js';

const LOOK_AGAIN_MS = 25;
/** mode restart: at least so long, that clients hear of the end with a response. */
const MIN_ACCEPTING_MS = 300;

export class Drain {
  private readonly listeners: readonly Listener[];
  private readonly request: DrainRequest;
  private readonly onDrained: (cut: number) => void;
  private readonly beganAt = now();
  private readonly table: ConnectionTable;
  /** What was there at the beginning: mode restart waits for it while others are served. */
  private first: readonly Connection[] = [];
  private isAccepting = true;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(listeners: readonly Listener[], request: DrainRequest, onDrained: (cut: number) => void) {
    this.listeners = listeners;
    this.request = request;
    this.onDrained = onDrained;
    this.table = new ConnectionTable(listeners.map(({ server }) => server));
  }

  begin(): void {
    for (const { server } of this.listeners) attempt(() => closeAfterResponses(server));
    this.table.look(this.beganAt, { isWelcome: false });
    if (this.request.mode === 'restart') this.first = this.table.all;
    else this.stopAccepting();
    this.timer = setInterval(() => attempt(() => this.look()), LOOK_AGAIN_MS);
    this.timer.unref(); // what keeps the process alive: the connections, and what stands in for the handles
  }

  private look(): void {
    const at = now();
    this.table.look(at, { isWelcome: this.isAccepting });
    if (this.isAccepting && this.hasAcceptedLongEnough(at)) this.stopAccepting();
    for (const connection of this.table.all) {
      if (at - connection.quietSince >= this.request.idleMs) attempt(() => connection.closeIfIdle());
    }
    if (at - this.beganAt >= this.request.deadlineMs) this.end(this.table.count);
    else if (!this.isAccepting && this.table.count === 0) this.end(0);
  }

  private hasAcceptedLongEnough(at: number): boolean {
    const elapsed = at - this.beganAt;
    if (elapsed < Math.min(MIN_ACCEPTING_MS, this.request.deadlineMs)) return false;
    return elapsed >= this.request.deadlineMs / 2 || this.first.every(({ isGone }) => isGone);
  }

  private stopAccepting(): void {
    this.isAccepting = false;
    for (const listener of this.listeners) attempt(() => listener.stopAccepting());
  }

  private end(cut: number): void {
    clearInterval(this.timer);
    this.stopAccepting();
    for (const connection of this.table.all) attempt(() => connection.cut());
    this.onDrained(cut);
  }
}
