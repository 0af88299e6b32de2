/**
 * What daemon and preload say to each other; types only, because the preload brings nothing along. To a process: the
 * variable UPKEEP_PRELOAD, and requests at its control socket, one JSON value a line. From it: lines of the channel.
 */

/** The value of UPKEEP_PRELOAD. */
export interface PreloadSetup {
  /** Of the preload itself. */
  readonly path: string;
  readonly sockets: readonly PreloadSocket[];
  /** Open sockets, but listen only after `attach`. */
  readonly hold: boolean;
  /** The application wants `process.send('ready')` and the message `shutdown`. */
  readonly messages: boolean;
  /** The application waits where its output is not taken at once, so that none of it is lost when it ends. */
  readonly blocking: boolean;
  /** NODE_OPTIONS without upkeep. */
  readonly options: string | null;
}

/** A socket of the service. */
export interface PreloadSocket {
  /** The same socket several times: closing a handle takes its descriptor along. */
  readonly fds: readonly number[];
  readonly host: string;
  readonly port: number;
  /** The service has declared it, so it is meant whatever address the application names. */
  readonly any: boolean;
}

/**
 * `held`: on a socket that it inherited. `own`: on one that it opened; `free`: on a port that the kernel chose.
 * `shared`: a worker behind its primary's.
 */
export type ListeningHow = 'held' | 'own' | 'free' | 'shared';

/** `reload`: others accept meanwhile. `restart`: its successor comes after it, so it accepts as long as it has to live. */
export type DrainMode = 'stop' | 'reload' | 'restart';

export interface DrainRequest {
  readonly mode: DrainMode;
  readonly deadlineMs: number;
  /** Silence after which an idle connection is closed. */
  readonly idleMs: number;
}

/** `resources`: it is to say what its event loop waits for. */
export interface PingRequest {
  readonly do: 'ping';
  readonly resources: boolean;
}

export interface PingAnswer {
  readonly ok: true;
  /** How many of the application's own there are for SIGUSR1: more than none, and it does not open the inspector. */
  readonly handlers: number;
  /** What its event loop waits for, by kind. */
  readonly resources?: Readonly<Record<string, number>>;
}

export type ControlRequest =
  | ({ readonly do: 'drain' } & DrainRequest)
  | { readonly do: 'attach' }
  | MetricsRequest
  | { readonly do: 'message'; readonly message: unknown }
  | PingRequest;

/** `everyMs`: it is to be said again and again, shortly before each multiple of it by the wall clock, as long as somebody listens. */
export interface MetricsRequest {
  readonly do: 'metrics';
  readonly everyMs?: number;
  /** Just a look: the slowest requests stay for who asks again and again. */
  readonly isLook?: boolean;
}

/** Counted since the process was first asked. */
export interface ProcessMetrics {
  /** Of http servers, answered. */
  readonly requests: number;
  /** With 5xx. */
  readonly errors: number;
  /** All of them together. */
  readonly durationMs: number;
  /** In progress, and without a word for five seconds; counted only where it is looked at closely. Absent: of an older preload. */
  readonly unanswered?: number;
  /** How long they took, by half octaves from 64 µs on. */
  readonly latency: readonly number[];
  /** How late the event loop was, looked at twice a second; likewise. */
  readonly loop: readonly number[];
  readonly heapBytes: number;
  /** Those that took longest since it was asked before, the slowest first; absent: of an older preload. */
  readonly slowest?: readonly SlowRequest[];
}

export interface SlowRequest {
  /** When it was answered: wall clock, milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  /** Without what follows it: no query. */
  readonly path: string;
  readonly status: number;
  readonly ms: number;
}

/** `ok`: heard, and begun. `drained`: done, with so many connections cut. */
export type ControlAnswer =
  | { readonly ok: true }
  | PingAnswer
  | { readonly drained: true; readonly cut: number }
  | { readonly metrics: ProcessMetrics }
  | { readonly error: string };
