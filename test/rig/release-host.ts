/** A host on which a release is about to be made: its folders, its services, and what preflight says of them. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BARE_SPEC } from '../../src/core/index.js';
import {
  POLICY_RULES,
  UpkeepError,
  type ReleaseCheck,
  type ReleaseSpec,
  type ServiceSpec,
} from '../../src/protocol/index.js';
import { preflight } from '../../src/release/index.js';
import type { StageJob, StageResult } from '../../src/release/job.js';
import { ROOT } from './paths.js';

export type Files = Readonly<Record<string, string>>;

export interface Judgement {
  readonly checks: readonly ReleaseCheck[];
  readonly keys: StageResult['keys'];
  /** undefined: nothing speaks against the release. */
  readonly refusal: UpkeepError | undefined;
  /** Everything that was said, also on the way. */
  readonly said: string;
}

export interface Situation {
  /** Of the release, by path. */
  readonly files: Files;
  /** Files of `root` that are copied into the release. */
  readonly copies?: Files;
  readonly modes?: Readonly<Record<string, number>>;
  /** Of the release that runs; absent: none. */
  readonly before?: Files;
  readonly env?: Readonly<Record<string, string>>;
  readonly service?: Partial<ServiceSpec>;
  readonly spec?: Partial<ReleaseSpec>;
  readonly job?: Partial<StageJob>;
}

export const VERIFY: ReleaseSpec['verify'] = {
  smoke: [],
  stableMs: 0,
  canary: null,
  forMs: 0,
  bakeMs: 0,
  minRequests: 1,
  alpha: 0.01,
  errorRate: 'refuse',
  latency: 'refuse',
  newErrors: 'refuse',
  memory: 'warn',
  noData: 'smoke',
  holdMs: 0,
};

export class ReleaseHost {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-preflight-')));
  readonly home = join(this.root, 'home');
  readonly folder = join(this.root, 'web');
  readonly release = join(this.folder, '12-1.4.0-abc1234');
  readonly previous = join(this.folder, '11-1.3.0-0000000');

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** `env` of the service `api`, which runs `server.js`. */
  async judge(situation: Situation): Promise<Judgement> {
    const { files, before, copies = {}, modes = {}, job = {} } = situation;
    for (const folder of [this.release, this.previous]) rmSync(folder, { recursive: true, force: true });
    write(this.release, { 'server.js': 'setInterval(() => {}, 1000);\n', ...files });
    for (const [path, from] of Object.entries(copies)) {
      mkdirSync(dirname(join(this.release, path)), { recursive: true });
      cpSync(join(this.root, from), join(this.release, path));
    }
    for (const [path, mode] of Object.entries(modes)) chmodSync(join(this.release, path), mode);
    if (before) write(this.previous, before);
    const said: string[] = [];
    const noted: { checks: readonly ReleaseCheck[]; keys: StageResult['keys'] } = {
      checks: [],
      keys: undefined,
    };
    const note = (result: StageResult): void => {
      said.push(JSON.stringify(result));
      noted.checks = result.checks ?? noted.checks;
      noted.keys = result.keys ?? noted.keys;
    };
    let refusal: UpkeepError | undefined;
    try {
      const context = {
        say: (text: string) => void said.push(text),
        note,
        signal: new AbortController().signal,
      };
      note(await preflight({ ...this.#job(situation), ...job }, context));
    } catch (error) {
      if (!(error instanceof UpkeepError)) throw error;
      refusal = error;
      said.push(error.message, error.hint ?? '', JSON.stringify(error.details ?? null), String(error.stack));
    }
    return { ...noted, refusal, said: said.join('\n') };
  }

  /** Makes packages that this repository has installed available to the release. */
  install(...names: string[]): void {
    for (const name of names) {
      const place = join(this.root, 'node_modules', name);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), place);
    }
  }

  #job({ before, env = {}, service = {}, spec = {} }: Situation): StageJob {
    const current = join(this.folder, 'current');
    const api: ServiceSpec = {
      ...BARE_SPEC,
      name: 'api',
      script: `${current}/server.js`,
      argv: [process.execPath, `${current}/server.js`],
      cwd: current,
      env: Object.fromEntries(
        Object.entries(env).map(([key, value]) => [key, { value, source: 'upkeep.config.ts' }]),
      ),
      release: { group: 'web', folder: this.folder },
      origin: { file: '/srv/upkeep.config.ts', profile: null },
      ...service,
    };
    const none: ReleaseSpec['hooks'] = {
      afterStage: [],
      afterInstall: [],
      beforeSwitch: [],
      afterSwitch: [],
      afterRelease: [],
      onFailure: [],
    };
    const previous = { id: '11', folder: this.previous, version: '1.3.0', commit: '0'.repeat(40) };
    return {
      id: '12',
      kind: 'release',
      home: this.home,
      spec: {
        name: 'web',
        services: [api],
        folder: this.folder,
        source: { type: 'file', path: null },
        root: null,
        signature: null,
        install: { by: 'none', timeoutMs: 1000 },
        build: null,
        linked: { files: [], folders: [] },
        contract: null,
        policy: null,
        node: null,
        requires: [],
        hooks: none,
        verify: VERIFY,
        traffic: null,
        keep: 3,
        ...spec,
      },
      target: {},
      waive: [],
      build: {
        sha256: 'a'.repeat(64),
        bytes: 1,
        commit: 'abc1234'.padEnd(40, '0'),
        version: '1.4.0',
        from: 'test',
      },
      artifact: null,
      folder: this.release,
      previous: before ? previous : null,
    };
  }
}

export const CONTRACT: NonNullable<ReleaseSpec['contract']> = {
  env: [],
  schema: null,
  module: null,
  files: [],
  unknown: 'warn',
};

export const POLICY: NonNullable<ReleaseSpec['policy']> = {
  target: 'production',
  rules: Object.fromEntries(POLICY_RULES.map((rule) => [rule, 'refuse'])),
  testHosts: [],
  waivers: [],
};

function write(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** `contract: missing-key DATABASE_URL failed` and so on, of what did not pass. */
export function problemsOf({ checks }: Judgement): string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ name, verdict }) => `${name}: ${verdict}`);
}
