/** A group of one service, and what stages of its releases are told: what tests vary. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { TestContext } from 'node:test';
import { BARE_SPEC } from '../../src/core/index.js';
import { POLICY_RULES, type ReleaseBuild, type ReleaseSpec } from '../../src/protocol/index.js';
import { hashFolder } from '../../src/release/content-hash.js';
import type { StageContext, StageJob, StageResult } from '../../src/release/job.js';
import { tar, type TarPiece } from './tar-bytes.js';

export const NO_HOOKS: ReleaseSpec['hooks'] = {
  afterStage: [],
  afterInstall: [],
  beforeSwitch: [],
  afterSwitch: [],
  afterRelease: [],
  onFailure: [],
};

export function releaseSpec(folder: string, changes: Partial<ReleaseSpec> = {}): ReleaseSpec {
  return {
    name: 'web',
    services: [{ ...BARE_SPEC, name: 'web', argv: [process.execPath, join(folder, 'current/server.js')] }],
    folder,
    source: { type: 'file', path: null },
    root: null,
    signature: null,
    install: { by: 'auto', timeoutMs: 120_000 },
    build: null,
    linked: { files: [], folders: [] },
    contract: null,
    policy: {
      target: 'production',
      rules: Object.fromEntries(POLICY_RULES.map((rule) => [rule, 'ignore'])),
      testHosts: [],
      waivers: [],
    },
    node: null,
    requires: [],
    hooks: NO_HOOKS,
    verify: {
      smoke: [],
      stableMs: 0,
      canary: null,
      forMs: 0,
      bakeMs: 0,
      minRequests: 0,
      alpha: 0.01,
      errorRate: 'ignore',
      latency: 'ignore',
      newErrors: 'ignore',
      memory: 'ignore',
      noData: 'smoke',
      holdMs: 0,
    },
    traffic: null,
    keep: 3,
    ...changes,
  };
}

/** A home with the folder of a group in it, and a store with one build. */
export class ReleaseSite {
  readonly work: string;
  readonly home: string;
  readonly folder: string;

  constructor(context?: Pick<TestContext, 'after'>) {
    this.work = mkdtempSync(join(tmpdir(), 'upkeep-release-'));
    this.home = join(this.work, 'home');
    this.folder = join(this.home, 'releases', 'web');
    mkdirSync(this.folder, { recursive: true });
    context?.after(() => this.remove());
  }

  remove(): void {
    rmSync(this.work, { recursive: true, force: true });
  }

  /** Puts an archive into the store. */
  store(...pieces: readonly TarPiece[]): { artifact: string; build: ReleaseBuild } {
    return this.storeBytes(gzipSync(tar(...pieces)));
  }

  storeBytes(bytes: Buffer): { artifact: string; build: ReleaseBuild } {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const artifact = join(this.home, 'store', 'sha256', sha256.slice(0, 2), sha256);
    mkdirSync(dirname(artifact), { recursive: true });
    writeFileSync(artifact, bytes);
    return {
      artifact,
      build: { sha256, bytes: bytes.length, commit: null, version: null, from: '/builds/web.tgz' },
    };
  }

  /** A folder as an artifact, where it lies. */
  async storeTree(tree: string): Promise<{ artifact: string; build: ReleaseBuild }> {
    const content = await hashFolder(tree);
    return { artifact: tree, build: { ...content, commit: null, version: null, from: tree } };
  }

  job(id: string, stored: Partial<StageJob>, changes: Partial<ReleaseSpec> = {}): StageJob {
    return {
      id,
      kind: 'release',
      home: this.home,
      spec: releaseSpec(this.folder, changes),
      target: {},
      waive: [],
      build: null,
      artifact: null,
      folder: null,
      previous: null,
      ...stored,
    };
  }
}

/** Keeps what a stage says. */
export class Listener implements StageContext {
  readonly said: string[] = [];
  readonly noted: StageResult[] = [];
  readonly #giveUp = new AbortController();

  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  say(progress: string): void {
    this.said.push(progress);
  }

  note(result: StageResult): void {
    this.noted.push(result);
  }

  abort(): void {
    this.#giveUp.abort();
  }
}

/** `package.json` and the lockfile of npm for packages that a registry serves, or that lie in `vendor/`. */
export function npmProject(
  packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly resolved: string;
    readonly integrity: string;
  }[],
  { version = '1.0.0', ...more }: Record<string, unknown> = {},
): TarPiece[] {
  const dependencies = Object.fromEntries(
    packages.map(({ name, version: its, resolved }) => [name, resolved.startsWith('file:') ? resolved : its]),
  );
  const own = { name: 'web', version, dependencies };
  const lock = {
    name: 'web',
    version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': own,
      ...Object.fromEntries(packages.map(({ name, ...rest }) => [`node_modules/${name}`, rest])),
    },
  };
  return [
    { name: 'package.json', content: JSON.stringify({ ...own, ...more }) },
    { name: 'package-lock.json', content: JSON.stringify(lock) },
  ];
}

/** The archive of a package, as `npm pack` makes it. */
export function packPackage(
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
): { bytes: Buffer; integrity: string } {
  const pieces = Object.entries({
    'package.json': JSON.stringify({ name, version, main: 'index.js' }),
    ...files,
  });
  const bytes = gzipSync(tar(...pieces.map(([file, content]) => ({ name: `package/${file}`, content }))));
  return { bytes, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` };
}

/** A program of that name in a folder for PATH, which counts how often it was asked for what, and is the real one otherwise. */
export function countingProgram(
  folder: string,
  real: string,
  word: string,
): { path: string; count: () => number } {
  mkdirSync(folder, { recursive: true });
  const counts = join(folder, `${basename(real)}.calls`);
  writeFileSync(counts, '');
  writeFileSync(
    join(folder, basename(real)),
    `#!/bin/sh\n[ "$1" = ${word} ] && echo "$$" >> ${counts}\nexec ${real} "$@"\n`,
    { mode: 0o755 },
  );
  return { path: folder, count: () => readFileSync(counts, 'utf8').split('\n').filter(Boolean).length };
}
