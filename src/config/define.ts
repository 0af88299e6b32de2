/**
 * What people write: the types behind `import { defineConfig } from 'upkeep'`. The schema is checked against
 * them by the compiler (schema/config.ts), and the JSON Schema for editors takes its texts from here.
 */

import type { ReleaseConfig } from './define/release.js';

export type * from './define/release.js';

/** Milliseconds, or text with a unit: `'500ms'`, `'10s'`, `'1.5m'`, `'2h'`, `'7d'`. */
export type Duration = number | string;

/** Bytes, or text with a unit (powers of 1024): `'512MB'`, `'1.5GB'`. */
export type Size = number | string;

/** What runs, and under which conditions. */
export interface UpkeepConfig {
  /** Where an editor finds the JSON Schema of this file. */
  $schema?: string;
  /** The services, by name; or a list of services that have a `name` each. */
  services: Record<string, ServiceConfig> | NamedServiceConfig[];
  /** Named sets of changes, one of which may be chosen with `--profile`. */
  profiles?: Record<string, ProfileConfig>;
  /** Variables of every service; a service may override one, or remove it with `null`. */
  env?: EnvConfig;
  /** Who is told of what happens to the services, by name. */
  alerts?: Record<string, AlertConfig>;
  /** Which services are released together, and how, by name of the group. */
  releases?: Record<string, ReleaseConfig>;
}

/** Changes that a profile makes; maps are merged key by key, everything else is replaced. */
export interface ProfileConfig {
  /** Changes to services, by their names. */
  services?: Record<string, ServiceConfig>;
  /** Variables of every service, over those of the file. */
  env?: EnvConfig;
  /** Alerts beside those of the file, or changed ones. */
  alerts?: Record<string, AlertConfig>;
  /** Changes to groups that are released together, or more of them. */
  releases?: Record<string, ReleaseConfig>;
}

/** Somebody who is told; exactly one of `webhook`, `command` and `email`. */
export interface AlertConfig {
  /** A URL that each notice is posted to, as JSON; any answer but 2xx is tried again. */
  webhook?: string | SecretConfig;
  /** What `webhook` posts instead of the notice: in its texts `{text}`, `{service}` and the like are filled in. */
  body?: Record<string, unknown>;
  /** Gets each notice as JSON on stdin; an exit code other than 0 is tried again. */
  command?: string | string[];
  /** Addresses that each notice is mailed to. */
  email?: string | string[] | EmailConfig;
  /**
   * What is told of.
   * @default everything
   */
  on?: (
    | 'crash'
    | 'crash-loop'
    | 'unhealthy'
    | 'new-error'
    | 'operation-failed'
    | 'memory-growing'
    | 'certificate'
    | 'disk'
    | 'warning'
  )[];
  /**
   * The same is told again after this time at the earliest, with how often it happened meanwhile.
   * @default '30m'
   */
  repeat?: Duration;
  /**
   * Whether it is told when a problem is over.
   * @default true
   */
  recovery?: boolean;
  /** When notices wait. */
  quiet?: QuietConfig;
  /** The line above a notice; `{service}`, `{detail}` and the like are filled in. */
  subject?: string;
  /** The words of a notice, with the same places to fill in. */
  text?: string;
}

/** Where mails go, and by whom. */
export interface EmailConfig {
  /** The addresses. */
  to: string | string[];
  /** The sender. */
  from?: string;
  /**
   * The server that takes the mails.
   * @default the sendmail program of the machine
   */
  smtp?: SmtpConfig;
}

/** A server that takes mails. */
export interface SmtpConfig {
  /** Its name or address. */
  host: string;
  /**
   * Its port.
   * @default 465 with secure, else 587
   */
  port?: number;
  /**
   * TLS from the beginning; otherwise STARTTLS where the server offers it.
   * @default false
   */
  secure?: boolean;
  /** The name to log in with. */
  user?: string;
  /** The password to log in with. */
  password?: SecretConfig;
}

/** Hours in which notices wait until they are over. */
export interface QuietConfig {
  /** `HH:MM`. */
  from: string;
  /** `HH:MM`; before `from`: on the next day. */
  to: string;
  /**
   * An IANA name such as `Europe/Berlin`.
   * @default the time zone of the host
   */
  timezone?: string;
  /**
   * What is told at once all the same.
   * @default ['crash-loop', 'unhealthy', 'disk']
   */
  except?: (
    | 'crash'
    | 'crash-loop'
    | 'unhealthy'
    | 'new-error'
    | 'operation-failed'
    | 'memory-growing'
    | 'certificate'
    | 'disk'
    | 'warning'
  )[];
}

/** Values become text as they are written; `null` removes a variable that is set for all services. */
export type EnvConfig = Record<string, string | number | boolean | null>;

/** A service in a list of services. */
export interface NamedServiceConfig extends ServiceConfig {
  /** Letters, digits, "_", "." and "-", at most 64; not `all`, and no word of JavaScript, as `constructor`. */
  name: string;
}

/** One service: a program, how many of it, and the rules of its life. */
export interface ServiceConfig {
  /**
   * Letters, digits, "_", "." and "-", at most 64; not `all`, and no word of JavaScript, as `constructor`. In a map of services the key
   * is the name.
   */
  name?: string;
  /** The file to run, relative to `cwd`. Exactly one of `script` and `command` is needed. */
  script?: string;
  /** The program to run with its arguments; text with shell syntax runs in `/bin/sh -c`. */
  command?: string | string[];
  /**
   * Arguments; text is split on blanks.
   * @default []
   */
  args?: string | string[];
  /**
   * Working folder, relative to the folder of the configuration file.
   * @default the folder of the configuration file
   */
  cwd?: string;
  /**
   * What runs the script: `node`, a name that is looked up in PATH, the path of a program, a folder that
   * holds `bin/node`, or `none` when the script is a program itself.
   * @default by the extension of the script
   */
  interpreter?: string;
  /**
   * Arguments before the script, for example `['--enable-source-maps']`; text is split on blanks.
   * @default []
   */
  interpreterArgs?: string | string[];
  /**
   * How many copies run at once; `max`: one for each processor.
   * @default 1
   */
  instances?: number | 'max';
  /** Variables of this service; `null` removes one that is set for all services. */
  env?: EnvConfig;
  /**
   * Files with `KEY=value` lines, read anew at each start; `env` wins over them.
   * @default []
   */
  envFiles?: string | string[];
  /** Variables that are read at each start and never stored or shown. */
  secrets?: Record<string, SecretConfig>;
  /** The user to run as: a name or a number. */
  user?: string | number;
  /** The group to run as: a name or a number. */
  group?: string | number;
  /** The port that each instance listens on. */
  port?: number | PortConfig;
  /** The ports that each instance listens on. */
  ports?: (number | PortConfig)[];
  /**
   * Who opens the sockets of the service. `node`: upkeep holds the declared ports, and Node's `listen()` gets them.
   * `systemd`: upkeep listens, the program takes them by LISTEN_FDS. `off`: the program opens its own, and refuses
   * connections while it is restarted. `auto`: `node` for what is surely Node, otherwise what the first attempt shows.
   * @default 'auto'
   */
  sockets?: 'auto' | 'node' | 'systemd' | 'off' | SocketsConfig;
  /**
   * Whether Node processes of the service load upkeep's preload; without it: no held ports, no drain.
   * @default true
   */
  preload?: boolean;
  /** How `upkeep reload` replaces instances. */
  reload?: ReloadConfig;
  /** Services to wait for: names (`ready` where that can be told, else `started`), or name to condition. */
  dependsOn?: string | string[] | Record<string, 'started' | 'ready' | 'healthy' | 'completed'>;
  /**
   * Restart this service too when one that it depends on is restarted.
   * @default false
   */
  restartWithDependencies?: boolean;
  /**
   * When to start again after an exit.
   * @default 'always', and 'never' with schedule.run
   */
  restart?: 'always' | 'on-failure' | 'never' | RestartConfig;
  /** How to stop. */
  stop?: StopConfig;
  /**
   * When a started instance counts as ready.
   * @default 'port' when ports are declared ('notify' with `sockets: systemd`), else 'start'
   */
  ready?: 'start' | 'port' | 'message' | 'notify' | ReadyConfig;
  /** A check that is repeated as long as the instance runs. */
  health?: HealthConfig;
  /** What an instance may use. */
  limits?: LimitsConfig;
  /** How much of what it writes is kept, and in which files. Changes hold from the next start of an instance on. */
  logs?: LogsConfig;
  /**
   * Which alerts of the file tell of this service: all, none, or the ones that are named.
   * @default true
   */
  alerts?: boolean | string[];
  /** Restart or run at certain times. */
  schedule?: ScheduleConfig;
  /** Restart when files change: `true` for `cwd`, or the paths to watch. */
  watch?: boolean | string[] | WatchConfig;
  /**
   * Variables to take from the shell that runs `upkeep up`, beside PATH, HOME, USER, LOGNAME, SHELL, LANG,
   * LC_*, TZ and TMPDIR; `true`: all of them.
   * @default false
   */
  inheritEnv?: boolean | string[];
}

/** Where the value of a variable is read from; exactly one of the two. */
export interface SecretConfig {
  /** A file whose content is the value, relative to the folder of the configuration file. */
  file?: string;
  /** A command whose output is the value. */
  command?: string | string[];
}

/** Who opens the sockets of a service, and how long connections wait. */
export interface SocketsConfig {
  /**
   * See `sockets`.
   * @default 'auto'
   */
  inherit?: 'auto' | 'node' | 'systemd' | 'off';
  /**
   * How long connections wait while nothing accepts them; then they are refused until something does. In a crash loop
   * they are refused at once.
   * @default '30s'
   */
  hold?: Duration;
  /**
   * Unix sockets for LISTEN_FDS, relative to `cwd`, after the ports.
   * @default []
   */
  paths?: string[];
}

/** How instances are replaced without a gap. */
export interface ReloadConfig {
  /**
   * How many new instances may run beside the old ones at a time.
   * @default 1, and 0 with maxUnavailable
   */
  maxSurge?: number;
  /**
   * How many instances may be missing at a time.
   * @default 0
   */
  maxUnavailable?: number;
  /**
   * How long a new instance must live, ready but without traffic, before the old one goes.
   * @default '1s'
   */
  stable?: Duration;
  /** Asked of the new instance itself, before it takes any traffic. */
  verify?: VerifyConfig;
}

/** What a new instance must answer; exactly one kind. It is asked until it does, up to the timeout. */
export interface VerifyConfig extends HttpCheckConfig {
  /** This command exits with 0. */
  command?: string | string[];
  /**
   * How long the check may take.
   * @default '10s'
   */
  timeout?: Duration;
}

/** A port with more to say about it. */
export interface PortConfig {
  /** The number, 1 to 65535. */
  port: number;
  /**
   * The address that is listened on.
   * @default any
   */
  host?: string;
  /** A name to tell ports apart. */
  name?: string;
}

/** When to start again after an exit, and how patiently. */
export interface RestartConfig {
  /**
   * `always`, `on-failure` (an exit code other than 0, or a signal) or `never`.
   * @default 'always'
   */
  policy?: 'always' | 'on-failure' | 'never';
  /**
   * Exit codes that mean "done": no restart under any policy.
   * @default []
   */
  stopExitCodes?: number[];
  /**
   * Before the second restart in a row, doubled from there; the first one is immediate.
   * @default '100ms'
   */
  delay?: Duration;
  /**
   * The longest delay.
   * @default '15s'
   */
  maxDelay?: Duration;
  /**
   * An attempt that lived this long ends the row.
   * @default '10s'
   */
  stable?: Duration;
  /**
   * This many failures within `window` are a crash loop.
   * @default 10
   */
  limit?: number;
  /**
   * The time in which failures are counted.
   * @default '2m'
   */
  window?: Duration;
  /**
   * In a crash loop: one try per this time.
   * @default '60s'
   */
  retry?: Duration;
}

/** How to stop. */
export interface StopConfig {
  /**
   * The signal that asks the process to end.
   * @default 'SIGTERM'
   */
  signal?: string;
  /**
   * How long connections may take to end before the signal; `0` for no drain.
   * @default '10s'
   */
  drain?: Duration;
  /**
   * Also tell the process `shutdown` by `process.on('message')`, as PM2 does with shutdown_with_message.
   * @default false
   */
  message?: boolean;
  /**
   * From the signal to SIGKILL.
   * @default '10s'
   */
  grace?: Duration;
  /**
   * `tree`: the process and all its descendants. `process`: the process alone.
   * @default 'tree'
   */
  killScope?: 'tree' | 'process';
}

/** What `http` asks, and what the answer must be. */
export interface HttpCheckConfig {
  /** This path (on the first port) or URL answers. */
  http?: string;
  /**
   * The status that `http` must answer with: one, a range such as `'200-299'`, or a list of those.
   * @default any below 400
   */
  status?: number | string | (number | string)[];
  /**
   * How `http` asks.
   * @default 'GET'
   */
  method?: 'GET' | 'HEAD';
  /** Text in the body of the answer, in its first MiB; between slashes a regular expression. */
  body?: string | RegExp;
  /** Headers of the answer, each with text that is in it; between slashes a regular expression. */
  headers?: Record<string, string | RegExp>;
  /** An answer of `http` that takes longer is a failure, for example `'500ms'`. */
  maxLatency?: Duration;
}

/** What can be asked of a running instance. */
export interface CheckConfig extends HttpCheckConfig {
  /** The instance listens on all its ports. */
  port?: true;
  /** A connection to this port, or to `'address:port'`, is taken. */
  tcp?: number | string;
  /** This command exits with 0. */
  command?: string | string[];
}

/** When a started instance counts as ready; at most one rule. */
export interface ReadyConfig extends CheckConfig {
  /** A line of output matches this regular expression. */
  log?: string | RegExp;
  /** The application calls `process.send('ready')`. */
  message?: true;
  /** The program sends `READY=1` to NOTIFY_SOCKET, see sd_notify(3). */
  notify?: true;
  /**
   * How long an instance may take; later it counts as failed.
   * @default '30s'
   */
  timeout?: Duration;
}

/** A check that is repeated as long as the instance runs; one kind, or only `eventLoop`. See [checks](#checks) for what can be asked. */
export interface HealthConfig extends CheckConfig {
  /**
   * From one check to the next.
   * @default '5s'
   */
  interval?: Duration;
  /**
   * How long one check may take.
   * @default '2s'
   */
  timeout?: Duration;
  /**
   * Failures in a row after which the instance is unhealthy.
   * @default 3
   */
  failures?: number;
  /**
   * Successes in a row after which an unhealthy instance is healthy again.
   * @default 1
   */
  successes?: number;
  /**
   * So long after its start failures do not count, unless it has succeeded before.
   * @default '0s'
   */
  startPeriod?: Duration;
  /**
   * What is done with an unhealthy instance: it is drained and started again, or it is only said.
   * @default 'restart'
   */
  action?: 'restart' | 'none';
  /**
   * Of a check by https: how long before its certificate expires that is told ([alerts](alerts.md#certificates)); `false`: nobody looks.
   * @default '14d'
   */
  certificate?: false | Duration;
  /**
   * After how long without an answer the event loop of a Node process that listens hangs; `false`: nobody looks.
   * @default '30s'
   */
  eventLoop?: false | Duration | EventLoopConfig;
}

/** What is done about an event loop that hangs. */
export interface EventLoopConfig {
  /**
   * How long it may be silent, not counting what is not its own fault.
   * @default '30s'
   */
  limit?: Duration;
  /**
   * `restart`: it is ended and started again, once its stack is taken. `none`: it is only said.
   * @default 'restart'
   */
  action?: 'restart' | 'none';
}

/** What an instance may use. */
export interface LimitsConfig {
  /** Resident memory of the instance and its descendants; above it the instance is restarted. */
  memory?: Size;
}

/** How much of what a service writes is kept, and in which files. */
export interface LogsConfig {
  /**
   * A file that would grow above this size, together with its index, is moved aside.
   * @default '10MB'
   */
  maxSize?: Size;
  /**
   * How many files are kept beside the current one, for stdout and stderr each.
   * @default 100
   */
  maxFiles?: number;
  /**
   * How much all files of the service may take, compressed as they are; beyond it the oldest is deleted.
   * @default '200MB'
   */
  maxTotal?: Size;
  /** A file that was begun so long ago is moved aside when the next line comes, for example `'1d'`. */
  rotateEvery?: Duration;
  /** Files that were moved aside and are older than this are deleted; with it `rotateEvery` is at most as long. */
  maxAge?: Duration;
  /**
   * Whether files that were moved aside are compressed (gzip).
   * @default true
   */
  compress?: boolean;
  /**
   * Files of its own for each instance, `out-0.log` and `err-0.log`, instead of `out.log` and `err.log` for all.
   * @default false
   */
  perInstance?: boolean;
}

/** Times as cron expressions; exactly one of `restart` and `run`. */
export interface ScheduleConfig {
  /** Restart the running service at these times. */
  restart?: string;
  /** Run to completion at these times; between runs nothing lives. */
  run?: string;
  /**
   * What a run does whose predecessor still lives.
   * @default 'skip'
   */
  overlap?: 'skip' | 'queue' | 'replace';
  /**
   * An IANA name such as `Europe/Berlin`.
   * @default the time zone of the host
   */
  timezone?: string;
}

/** Restart when files change. */
export interface WatchConfig {
  /**
   * Files and folders, relative to `cwd`.
   * @default ['.']
   */
  paths?: string[];
  /**
   * Names and paths that do not count.
   * @default ['node_modules', '.git']
   */
  ignore?: string[];
  /**
   * Quiet time after the last change.
   * @default '200ms'
   */
  delay?: Duration;
}

/** What a configuration function is told. */
export interface ConfigContext {
  /** The profile that was asked for. */
  profile: string | null;
}

export type ConfigFunction = (context: ConfigContext) => UpkeepConfig | Promise<UpkeepConfig>;

/** Gives a configuration its type; returns it as it is. */
export function defineConfig<C extends UpkeepConfig | ConfigFunction>(config: C): C {
  return config;
}

/** Gives the description of a release its type; returns it as it is. */
export function defineRelease<R extends ReleaseConfig>(release: R): R {
  return release;
}
