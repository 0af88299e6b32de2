/** The frameworks of the proof, each a tiny project as its users would write it, and how it is started. */
import type { ClientDescription } from '../load/index.js';
import { install, type Project } from '../support/install.js';

export interface Framework {
  readonly name: string;
  /** Whose version is shown. */
  readonly package?: string;
  readonly project: Project;
  /** How it is started, as it would stand in a configuration file. */
  readonly start: (port: number) => StartConfig;
  /** @default those of ORDINARY_CLIENTS */
  readonly clients?: (folder: string) => readonly ClientDescription[];
}

export interface StartConfig {
  readonly script: string;
  readonly args?: string;
  readonly env?: Record<string, string>;
}

export const ORDINARY_CLIENTS: readonly ClientDescription[] = [
  { kind: 'connections', perSecond: 40, serviceMs: 30 },
  { kind: 'keep-alive', clients: 4, thinkMs: 60, serviceMs: 10 },
  { kind: 'posts', clients: 2, thinkMs: 150, maxBytes: 64 * 1024 },
  { kind: 'downloads', clients: 3, thinkMs: 100, bytes: 32 * 1024, spreadMs: 120 },
];

/** An installed program is run by its own first line, as in a shell. */
const NEXT = 'node_modules/.bin/next';
const EGG_SCRIPTS = 'node_modules/.bin/egg-scripts';
const BUILD_NEXT = `${NEXT} build && OUTPUT=standalone DIST_DIR=.standalone ${NEXT} build`;

const script =
  (file: string, args?: (port: number) => string) =>
  (port: number): StartConfig => ({
    script: file,
    ...(args ? { args: args(port) } : {}),
    env: { PORT: String(port), NODE_ENV: 'production' },
  });

const next: Project = { source: 'frameworks/next', build: BUILD_NEXT };
const egg: Project = { source: 'frameworks/egg' };

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'express',
    package: 'express',
    project: { source: 'frameworks/express' },
    start: script('server.js'),
  },
  {
    name: 'fastify',
    package: 'fastify',
    project: { source: 'frameworks/fastify' },
    start: script('server.js'),
  },
  { name: 'koa', package: 'koa', project: { source: 'frameworks/koa' }, start: script('server.js') },
  { name: 'hono', package: 'hono', project: { source: 'frameworks/hono' }, start: script('server.js') },
  {
    name: 'nest',
    package: '@nestjs/core',
    project: { source: 'frameworks/nest', build: 'node_modules/.bin/tsc' },
    start: script('dist/main.js'),
  },
  {
    name: 'next-start',
    package: 'next',
    project: next,
    start: script(NEXT, (port) => `start --port ${port}`),
  },
  {
    name: 'next-standalone',
    package: 'next',
    project: next,
    start: script('.standalone/standalone/server.js'),
  },
  { name: 'egg-single', package: 'egg', project: egg, start: script('single.js') },
  {
    name: 'egg-cluster',
    package: 'egg',
    project: egg,
    start: script(EGG_SCRIPTS, (port) => `start --port=${port} --workers=2`),
  },
  {
    name: 'socket.io',
    package: 'socket.io',
    project: { source: 'frameworks/socket.io' },
    start: script('server.js'),
    clients: (installedIn) => [
      { kind: 'socket.io', clients: 4, everyMs: 60, installedIn },
      { kind: 'socket.io', name: 'short socket.io', clients: 3, everyMs: 60, lastsMs: 700, installedIn },
      { kind: 'connections', perSecond: 40, serviceMs: 30 },
    ],
  },
  { name: 'typescript', project: { source: 'frameworks/typescript' }, start: script('server.ts') },
];

export interface InstalledFramework extends Framework {
  readonly folder: string;
}

/** One project may be run in several ways. */
export async function installAll(frameworks: readonly Framework[]): Promise<InstalledFramework[]> {
  const installed: InstalledFramework[] = [];
  for (const framework of frameworks) {
    installed.push({ ...framework, folder: await install(framework.project) });
  }
  return installed;
}

export function clientsOf({ clients, folder }: InstalledFramework): readonly ClientDescription[] {
  return clients?.(folder) ?? ORDINARY_CLIENTS;
}

/** The same without upkeep. */
export function commandOf({ script, args = '' }: StartConfig): [string, ...string[]] {
  const command = [script, ...args.split(' ').filter(Boolean)] as const;
  if (script.endsWith('.ts')) return [process.execPath, '--import', import.meta.resolve('tsx'), ...command];
  return script.endsWith('.js') ? [process.execPath, ...command] : [...command];
}
