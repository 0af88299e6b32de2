/**
 * Lets the connections of this process end before it is stopped, without the application's doing.
 *
 *     begin ──▶ accepting (restart only) ──▶ waiting ──▶ drained (no connection left, or the deadline)
 *
 * - Nothing is known of connections before: they are found among the active handles, again at every look.
 * - The servers are not closed, only their handles: the application's own shutdown still finds what it expects.
 * - What kind of connection it is decides how it ends: connections.ts and its neighbours.
 */
import type { DrainRequest } from '../protocol/index.js';
import { attempt } from './attempt.js';
import { type Connection, ConnectionTable } from './connections.js';
import { closeAfterResponses } from './drain-http.js';
import type { Listener } from './listener.js';
import { clearInterval, now, setInterval } from './timers.js';

const LOOK_AGAIN_MS = 25;
const WORKER_LOOKS = 4;
/** mode restart: at least so long, that clients hear of the end with a response. */
const MIN_ACCEPTING_MS = 300;

export class Drain {
  private listeners: readonly Listener[] = [];
  private request: DrainRequest;
  private readonly onDrained: ((cut: number) => void)[] = [];
  private beganAt = now();
  private readonly table = new ConnectionTable();
  /** What was there at the beginning: mode restart waits for it while others are served. */
  private first: readonly Connection[] = [];
  private isAccepting = true;
  private emptyLooks = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(request: DrainRequest) {
    this.request = request;
  }

  /** Again with another request: it counts from then on, and everybody who asked is told. */
  begin(listeners: readonly Listener[], request: DrainRequest, onDrained: (cut: number) => void): void {
    const added = listeners.filter((listener) => !this.listeners.includes(listener));
    this.listeners = this.listeners.concat(added);
    this.request = request;
    this.beganAt = now();
    this.onDrained.push(onDrained);
    for (const { server } of added) attempt(() => closeAfterResponses(server));
    for (const { server } of added) this.table.add(server);
    this.table.look(this.beganAt, { isWelcome: false });
    if (request.mode === 'restart' && this.isAccepting) this.first = this.table.all;
    else this.stopAccepting();
    clearInterval(this.timer);
    this.timer = setInterval(() => attempt(() => this.look()), LOOK_AGAIN_MS);
    this.timer.unref(); // what keeps the process alive: the connections, and what stands in for the handles
  }

  private look(): void {
    const at = now();
    this.table.look(at, { isWelcome: this.isAccepting });
    if (this.isAccepting && this.hasAcceptedLongEnough(at)) this.stopAccepting();
    for (const connection of this.table.all) {
      if (connection.isQuiet(at, this.request.idleMs)) attempt(() => connection.closeIfIdle());
    }
    this.emptyLooks = this.table.count === 0 ? this.emptyLooks + 1 : 0;
    if (at - this.beganAt >= this.request.deadlineMs) this.end(this.table.count);
    else if (!this.isAccepting && this.isEmpty) this.end(0);
  }

  /** What the primary has accepted may still be on its way to a worker. */
  private get isEmpty(): boolean {
    return this.emptyLooks >= (this.listeners.some(({ isFaux }) => isFaux) ? WORKER_LOOKS : 1);
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
    for (const onDrained of this.onDrained.splice(0)) onDrained(cut);
  }
}
