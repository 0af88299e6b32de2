/**
 * An Egg application, from a git repository: three commits with a tag each, whose lockfiles pin three versions of Egg. Alone in its
 * process, and with egg-scripts, a master, an agent and two workers.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/rig/index.js';
import { INSTALL_TIMEOUT, verifyBy, type Application } from './application.js';

const APP = join(import.meta.dirname, '../../port/frameworks/egg');
const CHANGES = join(import.meta.dirname, 'egg');

interface Version {
  readonly version: string;
  readonly egg: string;
  readonly scripts: Readonly<Record<string, string>>;
}

const VERSIONS: readonly [Version, Version, Version] = [
  { version: '1.0.0', egg: '2.37.0', scripts: { 'egg-scripts': '2.17.0' } },
  { version: '1.1.0', egg: '3.34.0', scripts: { 'egg-scripts': '3.1.0' } },
  { version: '2.0.0', egg: '4.0.10', scripts: { '@eggjs/scripts': '4.0.0' } },
];

export interface EggOptions {
  readonly mode: 'single' | 'cluster';
  readonly instances: number;
}

export async function egg(
  folder: string,
  repository: string,
  { mode, instances }: EggOptions,
): Promise<Application> {
  const name = `egg-${mode}-${instances}`;
  const port = await freePort();
  const start =
    mode === 'single'
      ? { script: 'single.js' }
      : { script: 'node_modules/.bin/egg-scripts', args: `start --port=${port} --workers=2` };
  const [first, second, third] = VERSIONS;
  return {
    name,
    port,
    instances,
    versions: [first.version, second.version, third.version],
    service: {
      ...start,
      port,
      instances,
      env: { PORT: String(port), NODE_ENV: 'production', HOME: folder },
      ready: { http: '/pid', timeout: '120s' },
      stop: { drain: '5s' },
    },
    group: {
      source: { type: 'git', url: repository },
      install: { by: 'npm', timeout: INSTALL_TIMEOUT },
      linked: { folders: ['logs', 'run'] },
      verify: verifyBy('/pid', instances),
    },
    paths: ['/pid'],
    place: { header: 'x-version' },
    says: (wanted) => {
      const found = VERSIONS.find(({ version }) => version === wanted);
      return `${wanted} on Egg ${found?.egg}`;
    },
    clients: [
      { kind: 'connections', perSecond: 15, serviceMs: 30 },
      { kind: 'keep-alive', clients: 3, thinkMs: 100, serviceMs: 10 },
      { kind: 'posts', clients: 2, thinkMs: 150, maxBytes: 64 * 1024 },
      { kind: 'downloads', clients: 2, thinkMs: 100, bytes: 32 * 1024, spreadMs: 300 },
    ],
  };
}

/** Answers its path. */
export function makeRepository(folder: string, registry: string): string {
  const repository = join(folder, 'shop');
  mkdirSync(repository);
  const git = (...args: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=proof', '-c', 'user.email=proof@localhost', ...args], {
      cwd: repository,
    });
  git('init', '--quiet');
  cpSync(APP, repository, { recursive: true });
  cpSync(CHANGES, repository, { recursive: true });
  writeFileSync(join(repository, '.npmrc'), `registry=${registry}\n`);
  for (const { version, egg: eggVersion, scripts } of VERSIONS) {
    const dependencies = { egg: eggVersion, ...scripts };
    const manifest = { name: 'shop', version, private: true, dependencies };
    writeFileSync(join(repository, 'package.json'), JSON.stringify(manifest, undefined, 2));
    console.log(`Locking Egg ${eggVersion}`);
    execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: repository,
    });
    git('add', '--all');
    git('commit', '--quiet', '--message', `Egg ${eggVersion}`);
    git('tag', `v${version}`);
  }
  return repository;
}
