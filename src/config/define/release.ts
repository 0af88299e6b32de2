/** What people write about releases. Documentation and JSON Schema take their texts from here, as from define.ts. */
import type { Duration, SecretConfig, VerifyConfig } from '../define.js';

/** Services that are released together: from one build, in one step, and back in one step. */
export interface ReleaseConfig {
  /**
   * The services of the group. What they run lies in the release: `cwd`, `script` and programs of commands begin there.
   * @default the service of the same name
   */
  services?: string | string[];
  /**
   * Where `current`, `shared` and the releases are, relative to the folder of the configuration file.
   * @default `releases/<name>` in the home of upkeep
   */
  folder?: string;
  /** Where builds come from; it has to be said. */
  source?:
    | GitlabSourceConfig
    | GithubSourceConfig
    | GitSourceConfig
    | FileSourceConfig
    | HttpSourceConfig
    | NpmSourceConfig;
  /**
   * The folder within the build that becomes the release.
   * @default its only top folder where there is just one, else all of it
   */
  root?: string;
  /**
   * A command that ends with 0 only where the archive is signed by whom it has to be, in the folder of the configuration
   * file; `{file}` in it is the path of the archive, which comes last otherwise. Without it there are checksums only.
   */
  signature?: string | string[];
  /**
   * How what the release needs is installed, once: `auto` goes by the lockfile, `npm`, `pnpm` or `yarn` are those, `none`
   * installs nothing, anything else is a command.
   * @default 'auto'
   */
  install?: string | string[] | InstallConfig;
  /** What makes what runs, after the installation: for sources that are not built. Ends after 10 minutes at the latest. */
  build?: string | string[] | HookConfig;
  /** What stays when releases change. */
  linked?: LinkedConfig;
  /** Which configuration the release asks for; checked against the values that this host will use. */
  contract?: ContractConfig;
  /** What may be released to this host. Without it nothing is judged. */
  policy?: PolicyConfig;
  /**
   * The versions of Node that the release runs on, for example `'>=20 <25'`.
   * @default `engines.node` of its package.json
   */
  node?: string;
  /**
   * What must answer before anything is switched.
   * @default []
   */
  requires?: RequirementConfig[];
  /** Commands between the stages. */
  hooks?: HooksConfig;
  /** How it is told whether a release is good. */
  verify?: ReleaseVerifyConfig;
  /** What sends traffic to this host, where it has to know of the switch. */
  traffic?: TrafficConfig;
  /**
   * How many releases are kept beside the one that runs, to go back to without the network.
   * @default 5
   */
  keep?: number;
}

/** Artifacts of a job of GitLab CI. */
export interface GitlabSourceConfig {
  /** The kind. */
  type: 'gitlab';
  /**
   * The server, without `/api/v4`.
   * @default 'https://gitlab.com'
   */
  url?: string;
  /** Path or number of the project; needed. */
  project?: string | number;
  /** The job whose artifacts are the build, in whatever pipeline of the commit; needed. */
  job?: string;
  /** An access token that may read the API. */
  token?: SecretConfig;
  /** A package of the generic registry that is asked first, by version: unlike artifacts it does not expire. */
  package?: string | PackageConfig;
  /**
   * Ask the server to keep the artifacts of a release, where the token allows it: other hosts may need them later.
   * @default true
   */
  keep?: boolean;
}

/** A package of GitLab's generic registry. */
export interface PackageConfig {
  /** Its name. */
  name: string;
  /**
   * The file in it; `{version}` is filled in.
   * @default the name and `.tar.gz`
   */
  file?: string;
}

/** The artifact of a workflow, or a file of a release; one of them, or both: the file where a version is asked for. */
export interface GithubSourceConfig {
  /** The kind. */
  type: 'github';
  /**
   * The API.
   * @default 'https://api.github.com'
   */
  url?: string;
  /** `owner/name`; needed. */
  repository?: string;
  /** The name of the artifact of a workflow run. */
  artifact?: string;
  /** The file of a release; `{version}` is filled in. */
  asset?: string;
  /** A token that may read the repository. */
  token?: SecretConfig;
}

/** A repository that is checked out. */
export interface GitSourceConfig {
  /** The kind. */
  type: 'git';
  /** Anything that `git clone` takes; a path is relative to the folder of the configuration file. Needed. */
  url?: string;
  /**
   * Branch, tag or commit, where nothing else is asked for.
   * @default 'HEAD', the default branch
   */
  ref?: string;
}

/** An archive or a folder on this host. */
export interface FileSourceConfig {
  /** The kind. */
  type: 'file';
  /**
   * Its path, relative to the folder of the configuration file.
   * @default what `--file` says
   */
  path?: string;
}

/** An archive behind a URL. */
export interface HttpSourceConfig {
  /** The kind. */
  type: 'http';
  /** The archive; `{version}`, `{commit}` and `{ref}` are filled in. One that is signed is a secret: `{file: ./url}`. Needed. */
  url?: string | SecretConfig;
  /** Its checksum, or where that is found; needed. */
  sha256?: string | ChecksumConfig;
  /** Sent with each request to that server, and to no other that it refers to. */
  headers?: Record<string, string | SecretConfig>;
}

/** Where a checksum is found. */
export interface ChecksumConfig {
  /** A file as `sha256sum` writes it; the same words are filled in. */
  url: string;
}

/** A package of an npm registry. */
export interface NpmSourceConfig {
  /** The kind. */
  type: 'npm';
  /** Its name; needed. */
  package?: string;
  /**
   * The registry.
   * @default 'https://registry.npmjs.org'
   */
  registry?: string;
  /** A token that may read it. */
  token?: SecretConfig;
}

/** How what a release needs is installed. */
export interface InstallConfig {
  /**
   * See `install`; `by` and `run` exclude each other.
   * @default 'auto'
   */
  by?: 'auto' | 'npm' | 'pnpm' | 'yarn' | 'none';
  /** A command in the folder of the release. */
  run?: string | string[];
  /**
   * How long it may take.
   * @default '10m'
   */
  timeout?: Duration;
}

/** What lies in `shared` beside the releases, and is linked into each of them: what must outlive a release, as uploads do. */
export interface LinkedConfig {
  /**
   * Files, as paths within the release.
   * @default []
   */
  files?: string[];
  /**
   * Folders, as paths within the release.
   * @default []
   */
  folders?: string[];
}

/** Which keys and values the release asks for. Values are checked and never printed. */
export interface ContractConfig {
  /**
   * Files of the release that list its variables; keys with a value there are optional.
   * @default ['.env.example'], and [] with schema or module
   */
  env?: string | string[];
  /** A JSON Schema in the release, for the environment and `files`. */
  schema?: string;
  /** A module of the release that exports a zod, envalid or joi schema, as `path#export`. */
  module?: string;
  /**
   * Files of values (JSON) beside the environment, in the release or linked into it.
   * @default []
   */
  files?: string[];
  /**
   * What is done about keys that the contract does not know: mostly leftovers, and sometimes a typing mistake.
   * @default 'warn'
   */
  unknown?: 'refuse' | 'warn' | 'ignore';
}

/** What may be released to this host. */
export interface PolicyConfig {
  /**
   * What builds for this host are called in the `environment` of their `upkeep.build.json`.
   * @default 'production'
   */
  target?: string;
  /** What is done where a rule is broken. */
  rules?: PolicyRulesConfig;
  /**
   * Hosts that no value may name, for `test-host`; `*.example.com` is any below it.
   * @default []
   */
  testHosts?: string[];
  /**
   * Rules that do not hold for a while.
   * @default []
   */
  waivers?: WaiverConfig[];
}

/** The rules of a policy. Those that are wrong without doubt refuse a release; those that may be meant so warn. */
export interface PolicyRulesConfig {
  /**
   * The build was made for another target.
   * @default 'refuse'
   */
  'test-build'?: 'refuse' | 'warn' | 'ignore';
  /**
   * The build is not of the commit that was asked for.
   * @default 'refuse'
   */
  commit?: 'refuse' | 'warn' | 'ignore';
  /**
   * The build was made from changes that were not committed.
   * @default 'refuse'
   */
  'dirty-build'?: 'refuse' | 'warn' | 'ignore';
  /**
   * The version of its package.json is not the one of the tag.
   * @default 'refuse'
   */
  'version-tag'?: 'refuse' | 'warn' | 'ignore';
  /**
   * The version is lower than the one that runs. A rollback is no release, and not concerned.
   * @default 'refuse'
   */
  downgrade?: 'refuse' | 'warn' | 'ignore';
  /**
   * NODE_ENV is not `production`.
   * @default 'refuse'
   */
  'node-env'?: 'refuse' | 'warn' | 'ignore';
  /**
   * Debug or SQL logging is on.
   * @default 'refuse'
   */
  'debug-logging'?: 'refuse' | 'warn' | 'ignore';
  /**
   * A debugger listens.
   * @default 'refuse'
   */
  'debug-port'?: 'refuse' | 'warn' | 'ignore';
  /**
   * A value is the one of the example.
   * @default 'warn'
   */
  'example-value'?: 'refuse' | 'warn' | 'ignore';
  /**
   * A value names the host itself.
   * @default 'warn'
   */
  localhost?: 'refuse' | 'warn' | 'ignore';
  /**
   * A value names one of `testHosts`.
   * @default 'warn'
   */
  'test-host'?: 'refuse' | 'warn' | 'ignore';
}

/** A rule that does not hold for a while. */
export interface WaiverConfig {
  /**
   * A rule of the policy, or another check before the release runs, as its report names it: `missing-key`, `port`, and so on. Requirements
   * are called `tcp`, `http`, `sql` and `command`.
   */
  rule: string;
  /** Why; it stands in the report of each release. */
  reason: string;
  /** The last day, as `YYYY-MM-DD`. */
  until: string;
}

/** Something that must answer; exactly one of `tcp`, `http`, `sql` and `command`. */
export interface RequirementConfig {
  /** A connection to this port, or to `'address:port'`, is taken. */
  tcp?: number | string;
  /** This URL answers with a status below 400. */
  http?: string;
  /**
   * The database whose URL the first service gets under this key of its environment (`postgres://`, `mysql://`, `mariadb://`) lets it in and
   * answers `SELECT 1`, asked by the driver that the release has: `pg`, `postgres`, `mysql2` or `mariadb`.
   */
  sql?: string;
  /** This command ends with 0, in the folder of the release and with the environment of the first service. */
  command?: string | string[];
  /**
   * How long it may take.
   * @default '10s'
   */
  timeout?: Duration;
}

/** Commands between the stages. Each is a text or a map, or a list of those, which run one after the other. */
export interface HooksConfig {
  /** The build is unpacked, and nothing is installed. */
  afterStage?: string | HookConfig | (string | HookConfig)[];
  /** What it needs is installed. */
  afterInstall?: string | HookConfig | (string | HookConfig)[];
  /** The release is checked, and nothing of it runs: the place for migrations. */
  beforeSwitch?: string | HookConfig | (string | HookConfig)[];
  /** The new instances take traffic, and the old ones still do. */
  afterSwitch?: string | HookConfig | (string | HookConfig)[];
  /** The release is good. */
  afterRelease?: string | HookConfig | (string | HookConfig)[];
  /** It is not, and was undone. */
  onFailure?: string | HookConfig | (string | HookConfig)[];
}

/** A command of a release. */
export interface HookConfig {
  /** The command. */
  run: string | string[];
  /**
   * Where it runs, relative to the folder of the configuration file; for scripts of the host: `'.'`.
   * @default the folder of the release
   */
  cwd?: string;
  /**
   * How long it may take; then it is ended, and the release fails.
   * @default '5m'
   */
  timeout?: Duration;
}

/** How it is told whether a release is good. What is red before the old instances have gone costs nothing but the release. */
export interface ReleaseVerifyConfig {
  /**
   * Asked of each new instance before it takes traffic, and again at the end: a path, a check, or a list of those. Without it a release fails
   * where fewer than `minRequests` come.
   * @default []
   */
  smoke?: string | SmokeConfig | (string | SmokeConfig)[];
  /**
   * How long new instances must live, ready and without traffic, before they are let in: most of what fails at its start has
   * failed by then.
   * @default '2s'
   */
  stable?: Duration;
  /**
   * How many new instances are let in first; `false`: all at once.
   * @default one instance for 30 s, and `false` where no service has two
   */
  canary?: false | CanaryConfig;
  /**
   * How long old and new instances serve side by side before the old ones go: until then going back costs nothing.
   * @default '30s'
   */
  for?: Duration;
  /**
   * How long the release is watched after that; what goes wrong meanwhile is rolled back.
   * @default '60s'
   */
  bake?: Duration;
  /**
   * Fewer requests than these decide nothing: below 200 a rate of errors that rises from 0.5 % to 5 % goes unseen too often.
   * @default 200
   */
  minRequests?: number;
  /**
   * The risk of a false alarm, over all looks of a release together.
   * @default 0.01
   */
  alpha?: number;
  /**
   * What is done where the new instances answer with more errors than the old ones in the same time.
   * @default 'refuse'
   */
  errorRate?: 'refuse' | 'warn' | 'ignore';
  /**
   * What is done where they are slower, clearly and by a good part.
   * @default 'refuse'
   */
  latency?: 'refuse' | 'warn' | 'ignore';
  /**
   * What is done where they log a kind of error that the old ones do not, before they take traffic or afterwards.
   * @default 'refuse'
   */
  newErrors?: 'refuse' | 'warn' | 'ignore';
  /**
   * What is done where their memory grows without end.
   * @default 'refuse'
   */
  memory?: 'refuse' | 'warn' | 'ignore';
  /**
   * Where there were too few requests: `smoke` goes by the smoke checks, `hold` waits up to `hold` for more. No data is never a pass:
   * with neither, the release says that nothing has judged it, and fails.
   * @default 'smoke' where there are smoke checks, else 'hold'
   */
  noData?: 'hold' | 'smoke';
  /**
   * See `noData`.
   * @default '5m'
   */
  hold?: Duration;
}

/** A check of new instances; exactly one kind. It is asked until it succeeds, up to the timeout. */
export interface SmokeConfig extends VerifyConfig {
  /**
   * The service whose instances are asked.
   * @default the only one of the group that declares a port; for a command the first
   */
  service?: string;
}

/** How many new instances are let in first, and for how long. */
export interface CanaryConfig {
  /**
   * Of each service.
   * @default 1
   */
  instances?: number;
  /**
   * How long they are watched before the others are let in.
   * @default '30s'
   */
  for?: Duration;
}

/** What sends traffic to this host; exactly one of `haproxy` and `command`. */
export interface TrafficConfig {
  /** HAProxy, by its runtime sockets. */
  haproxy?: HaproxyConfig;
  /** Commands, for anything else. */
  command?: TrafficCommandConfig;
}

/** A load balancer that is told to send no more requests, and to send them again. */
export interface HaproxyConfig {
  /** Sockets of level admin: paths relative to the folder of the configuration file, or `host:port`. All must agree. */
  sockets: string | string[];
  /** What this host is called there, as `backend/server`, by service. */
  servers: Record<string, string>;
  /**
   * Percent of its weight with which it comes back first.
   * @default 10
   */
  canaryWeight?: number;
  /**
   * How long its sessions may take to end.
   * @default '30s'
   */
  drain?: Duration;
  /**
   * Take it out also where no other server is up.
   * @default false
   */
  allowLast?: boolean;
}

/**
 * Commands that take this host out of the traffic, and let it in again. They run in the folder of the configuration file, once for
 * each service, which `UPKEEP_SERVICE` names.
 */
export interface TrafficCommandConfig {
  /** No more requests come when it has ended with 0. */
  out: string | HookConfig;
  /** Requests come again; `UPKEEP_TRAFFIC_SHARE` says how many percent. */
  in: string | HookConfig;
}
