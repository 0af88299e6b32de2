/** The whole control API on one page. The OpenAPI document, the server and the client are made from it. */
import * as v from 'valibot';
import { AlertTest, AlertView } from './alert.js';
import { DaemonView, UpgradeRequest, UpgradeView } from './daemon.js';
import {
  ErrorKindDetail,
  ErrorKindView,
  ErrorsView,
  MarkRequest,
  MarkView,
  MuteRequest,
  UnmuteRequest,
} from './error-kind.js';
import { ENDPOINTS, type Endpoint, type RouteName } from './endpoint.js';
import { UpkeepEvent } from './event.js';
import { LogEntry } from './log.js';
import { ReleaseGroupView, ReleaseRequest, ReleaseView, RollbackRequest, WaivedCheck } from './release.js';
import { ReportView } from './report.js';
import { SamplesView } from './sample.js';
import { OperationRequest, OperationView } from './operation.js';
import { EnvironmentView, ServiceDetail, ServiceView, SpecChange } from './service.js';
import { ServiceSpec } from './spec.js';
import { InstanceTree } from './tree.js';
import { WhyView } from './why.js';

export interface Route extends Endpoint {
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: v.GenericSchema;
  /** Of a stream: the schema of each event. */
  readonly answer: v.GenericSchema;
}

export const ROUTES = {
  daemon: { ...ENDPOINTS.daemon, summary: 'The daemon itself', answer: DaemonView },
  stopDaemon: {
    ...ENDPOINTS.stopDaemon,
    summary: 'End the daemon; services go on running and are taken back by the next one',
    answer: DaemonView,
  },
  upgradeDaemon: {
    ...ENDPOINTS.upgradeDaemon,
    summary: 'Let another version take over; where it does not, this daemon goes on',
    body: UpgradeRequest,
    answer: UpgradeView,
  },
  services: { ...ENDPOINTS.services, summary: 'All services', answer: v.array(ServiceView) },
  service: {
    ...ENDPOINTS.service,
    summary: 'One service, with its specification',
    answer: ServiceDetail,
  },
  why: {
    ...ENDPOINTS.why,
    summary:
      'Why attempts of a service ended, and which of its processes its own wrapper killed, newest first',
    query: {
      instance: 'only this instance',
      attempt: 'only this attempt',
      limit: 'how many, default 1',
    },
    answer: WhyView,
  },
  tree: {
    ...ENDPOINTS.tree,
    summary: 'The processes below each instance, with what each is for',
    query: { service: 'a name; may be repeated; none: all services' },
    answer: v.array(InstanceTree),
  },
  environment: {
    ...ENDPOINTS.environment,
    summary: 'The environment of the next attempt, each value with its source',
    query: { reveal: '1: do not mask secrets' },
    answer: EnvironmentView,
  },
  diff: {
    ...ENDPOINTS.diff,
    summary: 'What `up` with these services would change',
    body: v.strictObject({ services: v.array(ServiceSpec) }),
    answer: v.array(SpecChange),
  },
  operations: {
    ...ENDPOINTS.operations,
    summary: 'The latest operations, newest first',
    query: { limit: 'how many, default 50' },
    answer: v.array(OperationView),
  },
  operation: {
    ...ENDPOINTS.operation,
    summary: 'One operation',
    query: { wait: '1: answer when it has ended' },
    answer: OperationView,
  },
  abort: {
    ...ENDPOINTS.abort,
    summary:
      'Give up an operation: what has not been done is not, and services go on by the description from before',
    answer: OperationView,
  },
  request: {
    ...ENDPOINTS.request,
    summary: 'Ask for a change: the operation, each time that it gets on, until it has ended',
    body: OperationRequest,
    answer: OperationView,
  },
  events: {
    ...ENDPOINTS.events,
    summary: 'What happened, oldest first',
    query: {
      limit: 'how many of the past, default 50',
      follow: '1: stay for what comes',
      service: 'only this service',
    },
    answer: UpkeepEvent,
  },
  samples: {
    ...ENDPOINTS.samples,
    summary: 'What was measured of services in the last two minutes, every ten seconds, oldest first',
    answer: v.array(SamplesView),
  },
  report: {
    ...ENDPOINTS.report,
    summary:
      'How services have been: availability, incidents, how soon they were noticed and repaired, what was answered',
    query: {
      service: 'a name; may be repeated; none: all services',
      since: '7d (ago, the default), 14:05, 2026-11-29, or ISO 8601, in the time zone of the daemon',
      until: 'the same; default: now',
    },
    answer: ReportView,
  },
  logs: {
    ...ENDPOINTS.logs,
    summary: 'Output of services',
    query: {
      service: 'a name; may be repeated; none: all services',
      since:
        'not before this time: 10m (ago), 14:05, 2026-11-29, or ISO 8601, in the time zone of the daemon',
      until: 'before this time',
      around: 'a time, exit (the last one of a service) or exit:7 (that of attempt 7)',
      context: 'how much around it: a duration, or a number of lines before and after; default 10s',
      grep: 'only what this regular expression matches in one of its lines',
      ignoreCase: '1: it does not tell upper from lower case',
      level: 'this or worse: trace, debug, info, warn, error, fatal',
      instance: 'only this instance',
      stream: 'out or err; none: both',
      lines:
        'only the last so many of all together, a stack trace being one; default 20, all where a time is given',
      follow: '1: stay for what comes',
      encoding:
        'latin1: each character of a line stands for one byte, and level, message and fields are null',
    },
    answer: LogEntry,
  },
  errors: {
    ...ENDPOINTS.errors,
    summary: 'Errors that services wrote, by kind',
    query: {
      service: 'a name; may be repeated; none: all services',
      new: '1: only kinds that were first seen since the last mark, or since `since`',
      since: 'a timestamp, or `mark`; without `new`: only kinds that were seen since then',
      muted: '1: also those that are muted',
    },
    answer: ErrorsView,
  },
  errorKind: {
    ...ENDPOINTS.errorKind,
    summary: 'One kind in full, of each service that has it; the beginning of the id is enough',
    query: { service: 'only of this service' },
    answer: v.array(ErrorKindDetail),
  },
  muteError: {
    ...ENDPOINTS.muteError,
    summary: 'Say that a kind is known',
    body: MuteRequest,
    answer: v.array(ErrorKindView),
  },
  unmuteError: {
    ...ENDPOINTS.unmuteError,
    summary: 'Take that back',
    body: UnmuteRequest,
    answer: v.array(ErrorKindView),
  },
  mark: {
    ...ENDPOINTS.mark,
    summary: 'Set a mark: what is first seen from now on is new',
    body: MarkRequest,
    answer: v.array(MarkView),
  },
  releases: {
    ...ENDPOINTS.releases,
    summary: 'All groups that are released, with their releases, newest first',
    query: { limit: 'how many releases of each group, default 50' },
    answer: v.array(ReleaseGroupView),
  },
  release: {
    ...ENDPOINTS.release,
    summary: 'One release',
    query: { wait: '1: answer when it has ended' },
    answer: ReleaseView,
  },
  waivedChecks: {
    ...ENDPOINTS.waivedChecks,
    summary: 'Checks of releases that had failed and were let through, newest first',
    query: { group: 'only of this one', limit: 'how many, default 50' },
    answer: v.array(WaivedCheck),
  },
  requestRelease: {
    ...ENDPOINTS.requestRelease,
    summary: 'Ask for a release, or join the one that is the same: the release, each time that it gets on',
    body: ReleaseRequest,
    answer: ReleaseView,
  },
  rollback: {
    ...ENDPOINTS.rollback,
    summary:
      'Go back to a release that is kept on the host: the release that does it, each time that it gets on',
    body: RollbackRequest,
    answer: ReleaseView,
  },
  abortRelease: {
    ...ENDPOINTS.abortRelease,
    summary: 'Give up a release: what served before serves on',
    answer: ReleaseView,
  },
  alerts: {
    ...ENDPOINTS.alerts,
    summary: 'Who is told of what, and what still waits',
    answer: v.array(AlertView),
  },
  testAlerts: {
    ...ENDPOINTS.testAlerts,
    summary: 'Send a test notice by one alert, or by all of them: answers when each has been tried',
    body: AlertTest,
    answer: v.array(AlertView),
  },
} as const satisfies Record<RouteName, Route>;

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
