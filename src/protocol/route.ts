/** The whole control API on one page. The OpenAPI document, the server and the client are made from it. */
import * as v from 'valibot';
import { DaemonView } from './daemon.js';
import { UpkeepEvent } from './event.js';
import { LogLine } from './log.js';
import { OperationRequest, OperationView } from './operation.js';
import { EnvironmentView, ServiceDetail, ServiceView, SpecChange } from './service.js';
import { ServiceSpec } from './spec.js';

/** Bumped when an older client would misunderstand; sent with every request and answer. */
export const PROTOCOL = 1;
export const PROTOCOL_HEADER = 'upkeep-protocol';
export const VERSION_HEADER = 'upkeep-version';
/** The client's own pid, so that the daemon can find out in /proc who asks. */
export const CLIENT_PID_HEADER = 'upkeep-client-pid';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `{name}` stands for one path segment. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: v.GenericSchema;
  readonly answer: v.GenericSchema;
  /** Answered as server-sent events, one JSON value of `answer` each. */
  readonly isStream?: true;
}

export const ROUTES = {
  daemon: { method: 'GET', path: '/v1/daemon', summary: 'The daemon itself', answer: DaemonView },
  stopDaemon: {
    method: 'POST',
    path: '/v1/daemon/stop',
    summary: 'End the daemon; services go on running and are taken back by the next one',
    answer: DaemonView,
  },
  services: { method: 'GET', path: '/v1/services', summary: 'All services', answer: v.array(ServiceView) },
  service: {
    method: 'GET',
    path: '/v1/services/{name}',
    summary: 'One service, with its specification',
    answer: ServiceDetail,
  },
  environment: {
    method: 'GET',
    path: '/v1/services/{name}/environment',
    summary: 'The environment of the next attempt, each value with its source',
    query: { reveal: '1: do not mask secrets' },
    answer: EnvironmentView,
  },
  diff: {
    method: 'POST',
    path: '/v1/diff',
    summary: 'What `up` with these services would change',
    body: v.strictObject({ services: v.array(ServiceSpec) }),
    answer: v.array(SpecChange),
  },
  operations: {
    method: 'GET',
    path: '/v1/operations',
    summary: 'The latest operations, newest first',
    query: { limit: 'how many, default 50' },
    answer: v.array(OperationView),
  },
  operation: {
    method: 'GET',
    path: '/v1/operations/{id}',
    summary: 'One operation',
    query: { wait: '1: answer when it has ended' },
    answer: OperationView,
  },
  request: {
    method: 'POST',
    path: '/v1/operations',
    summary: 'Ask for a change: the operation, each time that it gets on, until it has ended',
    body: OperationRequest,
    answer: OperationView,
    isStream: true,
  },
  events: {
    method: 'GET',
    path: '/v1/events',
    summary: 'What happened, oldest first',
    query: {
      limit: 'how many of the past, default 50',
      follow: '1: stay for what comes',
      service: 'only this service',
    },
    answer: UpkeepEvent,
    isStream: true,
  },
  logs: {
    method: 'GET',
    path: '/v1/logs',
    summary: 'Output of services',
    query: {
      service: 'a name; may be repeated; none: all services',
      lines: 'how many past lines of each file, default 20',
      stream: 'out or err; none: both',
      follow: '1: stay for what comes',
    },
    answer: LogLine,
    isStream: true,
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
export type RouteAnswer<N extends RouteName> = v.InferOutput<(typeof ROUTES)[N]['answer']>;
export type RouteBody<N extends RouteName> = (typeof ROUTES)[N] extends {
  body: infer B extends v.GenericSchema;
}
  ? v.InferOutput<B>
  : undefined;
export type RouteQuery<N extends RouteName> = (typeof ROUTES)[N] extends { query: infer Q }
  ? { readonly [K in keyof Q]?: string | readonly string[] | undefined }
  : Record<string, never>;

/** The body of every answer that is not 2xx. */
export const ErrorBody = v.strictObject({
  error: v.object({
    code: v.string(),
    message: v.string(),
    hint: v.optional(v.string()),
    details: v.optional(v.unknown()),
  }),
});
export type ErrorBody = v.InferOutput<typeof ErrorBody>;
