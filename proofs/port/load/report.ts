/** What a load has seen. All times are milliseconds of the monotonic clock, see monotonic.ts. */

/**
 * - `refused`: nobody listened.
 * - `reset`: a new connection ended before a byte of the answer had come.
 * - `reused_reset`: the same on a connection that had answered before, and was idle.
 * - `truncated`: the answer had begun, and its connection ended before it did.
 * - `hung`: no whole answer within the time of the load.
 * - `wrong_status`, `wrong_body`: a whole answer, but not the right one.
 * - `own`: the client could not ask, as when it has no free port; says nothing about the service.
 */
export type FailureClass =
  'refused' | 'reset' | 'reused_reset' | 'truncated' | 'hung' | 'wrong_status' | 'wrong_body' | 'own';

export interface Failure {
  /** The name of the client. */
  readonly client: string;
  /** Sent with the request, so that the application can write down that it had it. */
  readonly id: string;
  readonly class: FailureClass;
  /** The error of the system, the wrong status, or what is wrong with the body. */
  readonly detail: string;
  readonly startedAt: number;
  /** When its connection was made, before `startedAt` where it was reused; null: it never was. */
  readonly connectedAt: number | null;
  readonly endedAt: number;
  readonly hasResponseByte: boolean;
  readonly isReused: boolean;
  /** The port of the client. */
  readonly localPort: number | null;
  /** Who had answered on its connection before; null: nobody. */
  readonly pid: number | null;
}

/** The end of an event stream or a socket that was open. */
export interface StreamEnd {
  readonly client: string;
  readonly id: string;
  readonly pid: number | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly by: 'client' | 'server';
  /** As its protocol has it: the last chunk of the response, or a close frame. */
  readonly isClean: boolean;
  readonly detail: string;
  /** Events or echoes that came. */
  readonly received: number;
  /** Texts that were sent and never came back. */
  readonly unanswered: number;
}

export interface Counters {
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Not sent, because too many were on their way. */
  readonly leftOut: number;
  /**
   * Asked again, because the first time was not processed: over HTTP/2 a request may meet the GOAWAY of its session, and
   * REFUSED_STREAM is the promise that nobody has seen it (RFC 9113, 8.7). Counts as one request.
   */
  readonly askedAgain: number;
  /** Connections that were made. */
  readonly connections: number;
  /** Streams that are open now. */
  readonly open: number;
  /** Streams that the server ended otherwise than its protocol has it. */
  readonly cut: number;
}

export interface ClientReport extends Counters {
  readonly failures: Partial<Record<FailureClass, number>>;
  /** Answers of each process. */
  readonly pids: Readonly<Record<string, number>>;
  readonly medianMs: number;
  /** 99 of 100 were faster. */
  readonly slowMs: number;
  readonly slowestMs: number;
}

export interface LoadReport {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly clients: Readonly<Record<string, ClientReport>>;
  /** In the order of their ends; of more than 20,000 the first ones. */
  readonly failures: readonly Failure[];
  readonly streams: readonly StreamEnd[];
  /** How long the client itself was busy with something else at the worst; its times are this wrong. */
  readonly lagMs: number;
}

export type LiveCounters = Readonly<Record<string, Counters>>;

const NOTHING: Counters = {
  started: 0,
  succeeded: 0,
  failed: 0,
  leftOut: 0,
  askedAgain: 0,
  connections: 0,
  open: 0,
  cut: 0,
};

/** Of all clients, or of the named ones. */
export function total(counters: LiveCounters, names?: readonly string[]): Counters {
  const counted = Object.entries(counters).filter(([name]) => names?.includes(name) ?? true);
  return counted.reduce((sum, [, one]) => add(sum, one), NOTHING);
}

function add(a: Counters, b: Counters): Counters {
  return {
    started: a.started + b.started,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    leftOut: a.leftOut + b.leftOut,
    askedAgain: a.askedAgain + b.askedAgain,
    connections: a.connections + b.connections,
    open: a.open + b.open,
    cut: a.cut + b.cut,
  };
}
