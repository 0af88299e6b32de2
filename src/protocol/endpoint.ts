/** Where the routes are: all that a client needs at runtime, kept free of schemas so that a command starts fast. */

/**
 * Bumped when an older client would misunderstand; sent with every request and answer. A field more is no reason.
 *
 * 1: the first one, in no release. 2: `GET /v1/services/{name}/exits` answers an object (WhyView), where it was a list of exits.
 */
export const PROTOCOL = 2;
export const PROTOCOL_HEADER = 'upkeep-protocol';
export const VERSION_HEADER = 'upkeep-version';
/** The client's own pid, so that the daemon can find out in /proc who asks. */
export const CLIENT_PID_HEADER = 'upkeep-client-pid';

export interface Endpoint {
  readonly method: 'GET' | 'POST';
  /** `{name}` stands for one path segment. */
  readonly path: string;
  /** Answered as server-sent events, one JSON value each. */
  readonly isStream?: true;
}

export const ENDPOINTS = {
  daemon: { method: 'GET', path: '/v1/daemon' },
  stopDaemon: { method: 'POST', path: '/v1/daemon/stop' },
  upgradeDaemon: { method: 'POST', path: '/v1/daemon/upgrade' },
  services: { method: 'GET', path: '/v1/services' },
  service: { method: 'GET', path: '/v1/services/{name}' },
  why: { method: 'GET', path: '/v1/services/{name}/exits' },
  tree: { method: 'GET', path: '/v1/tree' },
  environment: { method: 'GET', path: '/v1/services/{name}/environment' },
  diff: { method: 'POST', path: '/v1/diff' },
  operations: { method: 'GET', path: '/v1/operations' },
  operation: { method: 'GET', path: '/v1/operations/{id}' },
  abort: { method: 'POST', path: '/v1/operations/{id}/abort' },
  request: { method: 'POST', path: '/v1/operations', isStream: true },
  events: { method: 'GET', path: '/v1/events', isStream: true },
  samples: { method: 'GET', path: '/v1/samples' },
  report: { method: 'GET', path: '/v1/report' },
  logs: { method: 'GET', path: '/v1/logs', isStream: true },
  errors: { method: 'GET', path: '/v1/errors' },
  errorKind: { method: 'GET', path: '/v1/errors/{id}' },
  muteError: { method: 'POST', path: '/v1/errors/{id}/mute' },
  unmuteError: { method: 'POST', path: '/v1/errors/{id}/unmute' },
  mark: { method: 'POST', path: '/v1/marks' },
  alerts: { method: 'GET', path: '/v1/alerts' },
  releases: { method: 'GET', path: '/v1/releases' },
  release: { method: 'GET', path: '/v1/releases/{id}' },
  waivedChecks: { method: 'GET', path: '/v1/waived-checks' },
  requestRelease: { method: 'POST', path: '/v1/releases', isStream: true },
  rollback: { method: 'POST', path: '/v1/rollbacks', isStream: true },
  abortRelease: { method: 'POST', path: '/v1/releases/{id}/abort' },
  testAlerts: { method: 'POST', path: '/v1/alerts/test' },
} as const satisfies Record<string, Endpoint>;

export type RouteName = keyof typeof ENDPOINTS;

/** The routes that answer as a stream, by name. */
export type StreamName = {
  [N in RouteName]: (typeof ENDPOINTS)[N] extends { isStream: true } ? N : never;
}[RouteName];
export type CallName = Exclude<RouteName, StreamName>;

/** `/v1/services/{name}` -> `{ name: string }`. */
export type PathParams<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & PathParams<Rest>
  : unknown;
export type RouteParams<N extends RouteName> = PathParams<(typeof ENDPOINTS)[N]['path']>;
