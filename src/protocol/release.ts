/**
 * What a release is: which services go together, where their builds come from, what is checked before and after. Like a
 * `ServiceSpec` it is the frozen form, with every default filled in; people write the looser form of `config/`.
 */
import * as v from 'valibot';
import { CheckSpec } from './check.js';
import { plainName } from './name.js';
import { Failure, Requester } from './operation.js';
import { SecretSpec } from './secret.js';
import { ServiceSpec } from './spec.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());
const milliseconds = v.pipe(v.number(), v.minValue(0));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const argv = v.pipe(v.array(v.string()), v.minLength(1));
const sha256 = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/));

/** A value that may be public, or a secret that is read on the host when it is used. */
const maybeSecret = v.nullable(v.union([v.string(), SecretSpec]));

/** Where builds come from. */
export const SourceSpec = v.variant('type', [
  v.strictObject({
    type: v.literal('gitlab'),
    /** Of the instance, without `/api/v4`. */
    url: v.string(),
    /** Path or number. */
    project: v.string(),
    /** The job whose artifacts are the build. */
    job: v.string(),
    token: maybeSecret,
    /** A generic package that is asked first, by version; null: only the job. In `file`, `{version}` is filled in. */
    package: v.nullable(v.strictObject({ name: v.string(), file: v.string() })),
    /** Ask the server not to let the artifacts of a release expire. */
    keep: v.boolean(),
  }),
  v.strictObject({
    type: v.literal('github'),
    /** Of the API. */
    url: v.string(),
    /** `owner/name`. */
    repository: v.string(),
    /** The artifact of a workflow run. */
    artifact: v.nullable(v.string()),
    /** The file of a release, by tag; `{version}` is filled in. */
    asset: v.nullable(v.string()),
    token: maybeSecret,
  }),
  v.strictObject({
    type: v.literal('git'),
    /** Anything that `git clone` takes. */
    url: v.string(),
    /** Where nothing else is asked for. */
    ref: v.string(),
  }),
  /** An archive or a folder on this host. */
  v.strictObject({ type: v.literal('file'), path: v.nullable(v.string()) }),
  v.strictObject({
    type: v.literal('http'),
    /** `{version}`, `{commit}` and `{ref}` are filled in. One that is signed is a secret. */
    url: v.union([v.string(), SecretSpec]),
    /** The checksum, or where it is read from (as sha256sum prints it). */
    sha256: v.union([v.strictObject({ is: sha256 }), v.strictObject({ url: v.string() })]),
    headers: v.record(v.string(), v.union([v.string(), SecretSpec])),
  }),
  v.strictObject({
    type: v.literal('npm'),
    package: v.string(),
    registry: v.string(),
    token: maybeSecret,
  }),
]);
export type SourceSpec = v.InferOutput<typeof SourceSpec>;

export const HookSpec = v.strictObject({
  run: argv,
  timeoutMs: milliseconds,
  /** A folder of the host; absent: the one of the release. */
  cwd: v.exactOptional(v.string()),
});
export type HookSpec = v.InferOutput<typeof HookSpec>;

const hooks = v.array(HookSpec);

/** Rules about what may be released to a target; each may be waived with a reason. */
export const POLICY_RULES = [
  'test-build',
  'commit',
  'dirty-build',
  'version-tag',
  'downgrade',
  'node-env',
  'debug-logging',
  'debug-port',
  'example-value',
  'localhost',
  'test-host',
] as const;
export type PolicyRule = (typeof POLICY_RULES)[number];

/** What else is looked at before anything runs, and may be waived by its name. */
export const PREFLIGHT_RULES = [
  'missing-key',
  'new-key',
  'empty-key',
  'wrong-type',
  'unknown-key',
  'contract',
  'file',
  'environment',
  'program',
  'user',
  'port',
  'node',
  'native-module',
  'syntax',
  'load-balancer',
  'tcp',
  'http',
  'sql',
  'command',
] as const;

export const WaiverSpec = v.strictObject({
  rule: v.string(),
  reason: v.string(),
  /** A day; null: for this release only. */
  until: v.nullable(v.string()),
});
export type WaiverSpec = v.InferOutput<typeof WaiverSpec>;

export const VERDICT_ACTIONS = ['refuse', 'warn', 'ignore'] as const;
const verdictAction = v.picklist(VERDICT_ACTIONS);

export const ContractSpec = v.strictObject({
  /** `.env.example` and the like, within the release; keys with a value there that can be a default are optional. */
  env: v.array(v.string()),
  /** A JSON Schema, within the release; null: none. */
  schema: v.nullable(v.string()),
  /** A module within the release whose export is a zod, envalid or joi schema, as `path#export`; null: none. */
  module: v.nullable(v.string()),
  /** Files of values that the schema speaks of beside the environment: JSON, within the release or linked. */
  files: v.array(v.string()),
  /** What is done about keys that the contract does not know. */
  unknown: verdictAction,
});
export type ContractSpec = v.InferOutput<typeof ContractSpec>;

export const PolicySpec = v.strictObject({
  /** What builds for this host call it in `upkeep.build.json`. */
  target: v.string(),
  /** Of `POLICY_RULES`, all of them. */
  rules: v.record(v.string(), verdictAction),
  /** Hosts that values must not name. */
  testHosts: v.array(v.string()),
  waivers: v.array(WaiverSpec),
});
export type PolicySpec = v.InferOutput<typeof PolicySpec>;

/** What must answer before anything is switched. */
export const RequirementSpec = v.variant('on', [
  v.strictObject({ on: v.literal('tcp'), host: v.string(), port: count, timeoutMs: milliseconds }),
  v.strictObject({ on: v.literal('http'), url: v.string(), timeoutMs: milliseconds }),
  /** The key of the first service's environment that holds the URL of a database, which answers `SELECT 1`. */
  v.strictObject({ on: v.literal('sql'), key: v.string(), timeoutMs: milliseconds }),
  /** Exits with 0, in the folder of the release, with the environment of the first service. */
  v.strictObject({ on: v.literal('command'), argv, timeoutMs: milliseconds }),
]);
export type RequirementSpec = v.InferOutput<typeof RequirementSpec>;

export const SmokeSpec = v.strictObject({
  /** Of which new instances it is asked. */
  service: v.string(),
  check: CheckSpec,
  timeoutMs: milliseconds,
});
export type SmokeSpec = v.InferOutput<typeof SmokeSpec>;

export const VerifySpec = v.strictObject({
  /** Asked of every new instance before it takes traffic, and again at the end. */
  smoke: v.array(SmokeSpec),
  /** How long new instances live, ready and without traffic, before they are let in. */
  stableMs: milliseconds,
  /** How many new instances of each service are let in first; null: no canary. */
  canary: v.nullable(v.strictObject({ instances: count, forMs: milliseconds })),
  /** How long old and new ones serve side by side before the old ones go. */
  forMs: milliseconds,
  /** How long is looked on after the old ones have gone. */
  bakeMs: milliseconds,
  /** Fewer requests to the new instances than these are no pass. */
  minRequests: count,
  /** Risk of a false alarm over all looks together. */
  alpha: v.number(),
  errorRate: verdictAction,
  latency: verdictAction,
  newErrors: verdictAction,
  memory: verdictAction,
  /** Where there were too few requests: `hold` waits up to `holdMs` for more; `smoke` goes by the smoke checks. */
  noData: v.picklist(['hold', 'smoke']),
  holdMs: milliseconds,
});
export type VerifySpec = v.InferOutput<typeof VerifySpec>;

export const TrafficSpec = v.variant('type', [
  v.strictObject({
    type: v.literal('haproxy'),
    /** Paths of runtime sockets, or `host:port`; all must agree. */
    sockets: v.pipe(v.array(v.string()), v.minLength(1)),
    /** `backend/server` of this host, by service. */
    servers: v.record(v.string(), v.string()),
    /** Percent of its weight with which a server comes back first. */
    canaryWeight: count,
    drainMs: milliseconds,
    /** Drain it also where no other server is up. */
    allowLast: v.boolean(),
  }),
  v.strictObject({
    type: v.literal('command'),
    out: HookSpec,
    in: HookSpec,
  }),
]);
export type TrafficSpec = v.InferOutput<typeof TrafficSpec>;

export const ReleaseSpec = v.strictObject({
  /** Of the group. */
  name: plainName(),
  /** Paths of these begin with `<folder>/current`, which stands for the release that is made. */
  services: v.pipe(v.array(ServiceSpec), v.minLength(1)),
  /** Where releases, `current` and `shared` are. Absolute. */
  folder: v.string(),
  source: SourceSpec,
  /** Path within the build that becomes the release; null: its only top folder where there is just one, else all of it. */
  root: v.nullable(v.string()),
  /**
   * Ends with 0 only where the archive is signed by whom it has to be: `{file}` in its words is the path of the archive, which comes
   * last where they have none; `cwd` is where it runs. null: only checksums.
   */
  signature: v.nullable(v.strictObject({ argv, cwd: v.exactOptional(v.string()) })),
  /** By the lockfile, one of them, a command, or nothing. */
  install: v.variant('by', [
    v.strictObject({ by: v.picklist(['auto', 'npm', 'pnpm', 'yarn', 'none']), timeoutMs: milliseconds }),
    v.strictObject({ by: v.literal('command'), argv, timeoutMs: milliseconds }),
  ]),
  /** What is run after the installation, to make what runs: for sources that are not built. */
  build: v.nullable(HookSpec),
  /** Of `<folder>/shared`, within each release. */
  linked: v.strictObject({ files: v.array(v.string()), folders: v.array(v.string()) }),
  contract: v.nullable(ContractSpec),
  policy: v.nullable(PolicySpec),
  /** A range of Node versions; null: what `engines` of its package.json says. */
  node: v.nullable(v.string()),
  requires: v.array(RequirementSpec),
  hooks: v.strictObject({
    /** The build is unpacked. */
    afterStage: hooks,
    /** What it needs is installed. */
    afterInstall: hooks,
    beforeSwitch: hooks,
    /** The new instances take traffic, the old ones still do. */
    afterSwitch: hooks,
    afterRelease: hooks,
    onFailure: hooks,
  }),
  verify: VerifySpec,
  traffic: v.nullable(TrafficSpec),
  /** How many releases stay beside the one that runs. */
  keep: count,
});
export type ReleaseSpec = v.InferOutput<typeof ReleaseSpec>;

/**
 * When hooks run. `beforeSwitch` is the place for migrations until upkeep has its own: the new release is checked by then,
 * and nothing of it runs.
 */
export type HookPoint = keyof ReleaseSpec['hooks'];

/** Which build is asked for; the latest that the source has where nothing is said. */
export const ReleaseTarget = v.strictObject({
  commit: v.optional(v.string()),
  /** A branch or tag. */
  ref: v.optional(v.string()),
  version: v.optional(v.string()),
  /** An archive or a folder on this host. */
  file: v.optional(v.string()),
  /** Of that archive. */
  sha256: v.optional(v.string()),
});
export type ReleaseTarget = v.InferOutput<typeof ReleaseTarget>;

/** Stages in their order. Up to `boot` nothing that serves is touched; up to `commit` the old instances serve. */
export const RELEASE_STAGES = [
  'resolve',
  'fetch',
  'stage',
  'install',
  'preflight',
  'prepare',
  'boot',
  'canary',
  'switch',
  'verify',
  'commit',
  'bake',
  'finish',
] as const;
export type ReleaseStage = (typeof RELEASE_STAGES)[number];

/** One thing that was looked at, with what came out. */
export const ReleaseCheck = v.strictObject({
  stage: v.picklist(RELEASE_STAGES),
  /** `contract: missing-key DATABASE_URL`, `policy: debug-port api`, `smoke`, …: one each. */
  name: v.string(),
  verdict: v.picklist(['passed', 'warned', 'waived', 'failed', 'unknown']),
  /** One line that names the thing and the place, never a value. */
  text: v.string(),
  hint: v.optional(v.string()),
  /** Where it is one of errors: its id, see `upkeep errors`. */
  kind: v.optional(v.string()),
  /** By which it was let through. */
  waiver: v.optional(WaiverSpec),
});
export type ReleaseCheck = v.InferOutput<typeof ReleaseCheck>;

/** A check that had failed, and was let through. */
export const WaivedCheck = v.strictObject({
  at: v.string(),
  release: v.string(),
  group: v.string(),
  requester: Requester,
  /** Its name, with its stage: `policy: debug-port api`. */
  check: v.string(),
  text: v.string(),
  waiver: WaiverSpec,
});
export type WaivedCheck = v.InferOutput<typeof WaivedCheck>;

/** A build that was found, or looked at and refused. */
export const ReleaseCandidate = v.strictObject({
  pipeline: v.nullable(v.string()),
  /** What made the pipeline: a push, a schedule. */
  origin: v.nullable(v.string()),
  name: v.string(),
  status: v.string(),
  archive: v.nullable(v.string()),
  expiresAt: v.nullable(v.string()),
  url: v.nullable(v.string()),
  verdict: v.string(),
  isChosen: v.boolean(),
});
export type ReleaseCandidate = v.InferOutput<typeof ReleaseCandidate>;

/** `upkeep.build.json` in a build: what it says of itself; each key may be absent. */
export const BuildManifest = v.object({
  commit: v.optional(v.string()),
  version: v.optional(v.string()),
  /** `production`, `test`, … */
  environment: v.optional(v.string()),
  dirty: v.optional(v.boolean()),
  /** sha256 of the lockfile. */
  lockfile: v.optional(v.string()),
  builtAt: v.optional(v.string()),
});
export type BuildManifest = v.InferOutput<typeof BuildManifest>;

/** What is known of the build that is released. */
export const ReleaseBuild = v.strictObject({
  /** Of the archive; of a folder: of its content. */
  sha256,
  bytes: count,
  commit: v.nullable(v.string()),
  version: v.nullable(v.string()),
  /** For a person: where it came from. No credentials. */
  from: v.string(),
});
export type ReleaseBuild = v.InferOutput<typeof ReleaseBuild>;

export const RELEASE_STATUSES = [
  'queued',
  'running',
  'reverting',
  'succeeded',
  'failed',
  'rolled-back',
  'aborted',
] as const;

export const ReleaseView = v.strictObject({
  /** `12`: counted in the home. */
  id: v.string(),
  group: v.string(),
  services: v.array(v.string()),
  kind: v.picklist(['release', 'rollback', 'plan']),
  target: ReleaseTarget,
  /** Rules that do not hold this time. */
  waive: v.optional(v.array(WaiverSpec), []),
  /** Also where the same build serves already. */
  force: v.optional(v.boolean(), false),
  status: v.picklist(RELEASE_STATUSES),
  stage: v.nullable(v.picklist(RELEASE_STAGES)),
  requester: Requester,
  /** Identical requests that came meanwhile. */
  joined: v.array(Requester),
  abortedBy: v.nullable(Requester),
  acceptedAt: timestamp,
  finishedAt: v.nullable(timestamp),
  /** What is done at this moment, for a person. */
  progress: v.nullable(v.string()),
  stages: v.array(
    v.strictObject({
      stage: v.picklist(RELEASE_STAGES),
      startedAt: timestamp,
      finishedAt: v.nullable(timestamp),
      /** For a person: what came out. */
      text: v.nullable(v.string()),
    }),
  ),
  candidates: v.array(ReleaseCandidate),
  build: v.nullable(ReleaseBuild),
  /** Its folder, where it is staged. */
  folder: v.nullable(v.string()),
  /** The one that served before. */
  previous: v.nullable(v.string()),
  /** Of a rollback: the release that it puts back, never another rollback; null: it is none. */
  restores: v.optional(v.nullable(v.string()), null),
  checks: v.array(ReleaseCheck),
  /** Names of configuration keys that are new, gone or other than in the release before. */
  keys: v.strictObject({
    added: v.array(v.string()),
    removed: v.array(v.string()),
    changed: v.array(v.string()),
  }),
  /** Of the build, the description and the names of its configuration keys: what an approval is for; null: not known yet. */
  hash: v.nullable(v.string()),
  failure: v.nullable(Failure),
  /** Of what people should know although it went well. */
  notes: v.array(v.string()),
});
export type ReleaseView = v.InferOutput<typeof ReleaseView>;

export const ReleaseRequest = v.strictObject({
  /** Its description; absent: the one that the home knows. */
  spec: v.optional(ReleaseSpec),
  group: v.string(),
  target: v.optional(ReleaseTarget, {}),
  /** Rules that do not hold this time. */
  waive: v.optional(v.array(WaiverSpec), []),
  /** Look at everything, change nothing. */
  plan: v.optional(v.boolean(), false),
  /** Only if that is still what would be done: `hash` of a plan. */
  planHash: v.optional(v.string()),
  /** Also where the same build serves already. */
  force: v.optional(v.boolean(), false),
});
export type ReleaseRequest = v.InferOutput<typeof ReleaseRequest>;

export const RollbackRequest = v.strictObject({
  group: v.string(),
  /** Number or version of a release that is kept; absent: the last good one before the one that serves. */
  to: v.optional(v.string()),
});
export type RollbackRequest = v.InferOutput<typeof RollbackRequest>;

export const ReleaseGroupView = v.strictObject({
  group: v.string(),
  folder: v.string(),
  services: v.array(v.string()),
  current: v.nullable(v.string()),
  /** Who holds it, where somebody does. */
  lock: v.nullable(v.strictObject({ owner: v.string(), reason: v.string(), since: timestamp })),
  releases: v.array(ReleaseView),
});
export type ReleaseGroupView = v.InferOutput<typeof ReleaseGroupView>;
