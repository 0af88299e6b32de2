/**
 * Decides whether what is installed for a release would be the same for another, and by what it is known again. Only what depends on
 * nothing but the lockfile, the dependencies and the machine is kept.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeName } from '../archive/name.js';
import { DEFAULT_LIMITS } from '../archive/limits.js';
import type { NodeFacts } from './node-of.js';
import type { ManagerName } from './plan.js';
import type { Package } from './project.js';

/** Of package.json: what decides what is installed. */
const DECIDING = [
  'dependencies',
  'optionalDependencies',
  'devDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'dependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'overrides',
  'resolutions',
  'pnpm',
  'packageManager',
  'devEngines',
  'engines',
  'os',
  'cpu',
  'allowScripts',
  'trustedDependencies',
] as const;
/** Run by every installation in the folder of the project, and may read and write all of it. */
const LIFECYCLE = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
];
const LOCAL = /^(?:file:|link:|portal:|workspace:|patch:|exec:|\.{0,2}\/|~\/)/;
const PACKED = /^file:(?:\.\/)?(.+\.(?:tgz|tar\.gz|tar))$/;
/** May lead to files that are not known here. */
const PROGRAMS = ['.pnpmfile.cjs', 'pnpmfile.js', '.pnpmfile.mjs', '.yarnrc', '.yarnrc.yml', 'binding.gyp'];
const SETTINGS = ['.npmrc', 'pnpm-workspace.yaml'];

export interface Installation {
  readonly release: string;
  readonly package: Package;
  readonly manager: ManagerName;
  readonly managerVersion: string;
  readonly lockfile: string;
  readonly node: NodeFacts;
  readonly isDev: boolean;
}

export type CacheVerdict =
  /** `files` are what it needs of the release, beside package.json. */
  | {
      readonly key: string;
      readonly files: readonly string[];
      readonly package: Readonly<Record<string, unknown>>;
    }
  /** For a person. */
  | { readonly unlike: string };

export function judgeCache(installation: Installation): CacheVerdict {
  const { release, package: package_, manager, managerVersion, lockfile, node, isDev } = installation;
  const unlike = findUnlike(installation);
  if (unlike !== undefined) return { unlike };
  const files = [lockfile, ...SETTINGS, ...packedFiles(package_)].filter((file) =>
    existsSync(join(release, file)),
  );
  const deciding = Object.fromEntries(
    DECIDING.flatMap((key) => (key in package_ ? [[key, package_[key]]] : [])),
  );
  const { abi, platform, arch, libc } = node;
  const parts = {
    manager,
    managerVersion,
    abi,
    platform,
    arch,
    libc,
    isDev,
    deciding,
    files: files.map((file) => [file, hashOf(release, file)]),
  };
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  return {
    key,
    files,
    package: {
      name: package_.name ?? 'release',
      version: package_['version'] ?? '0.0.0',
      private: true,
      ...deciding,
    },
  };
}

function findUnlike({ release, package: package_, manager }: Installation): string | undefined {
  const script = LIFECYCLE.find((name) => name in package_.scripts);
  if (script !== undefined)
    return `its package.json has a script "${script}", which may depend on the rest of the release`;
  if (package_.workspaces !== undefined) return 'it has workspaces';
  if (manager === 'yarn-berry') return 'Yarn 2 and later keep what they install in places of their own';
  const program = PROGRAMS.find((name) => existsSync(join(release, name)));
  if (program !== undefined) return `it has ${program}, which may change what is installed`;
  const settings = join(release, 'pnpm-workspace.yaml');
  if (
    existsSync(settings) &&
    /^\s*(?:packages|patchedDependencies)\s*:/m.test(readFileSync(settings, 'utf8'))
  )
    return 'it has a workspace of pnpm';
  if (JSON.stringify(package_['pnpm'] ?? {}).includes('patchedDependencies')) return 'it has patches of pnpm';
  const local = allDependencies(package_).find(([, spec]) => LOCAL.test(spec) && !isPacked(release, spec));
  return local && `"${local[0]}" (${local[1]}) is part of the release`;
}

function allDependencies({
  dependencies,
  optionalDependencies,
  devDependencies,
  peerDependencies,
}: Package): [string, string][] {
  return [dependencies, optionalDependencies, devDependencies, peerDependencies].flatMap((group) =>
    Object.entries(group),
  );
}

/** An archive within the release is known by its content. */
function isPacked(release: string, spec: string): boolean {
  const path = PACKED.exec(spec)?.[1];
  return path !== undefined && !judgeName(path, DEFAULT_LIMITS) && existsSync(join(release, path));
}

function packedFiles(package_: Package): string[] {
  return allDependencies(package_).flatMap(([, spec]) => PACKED.exec(spec)?.[1] ?? []);
}

function hashOf(release: string, file: string): string {
  const bytes = readFileSync(join(release, file));
  return createHash('sha256')
    .update(/(?:package-lock|npm-shrinkwrap)\.json$/.test(file) ? withoutVersion(bytes.toString()) : bytes)
    .digest('hex');
}

/** The version of the release stands in npm's lockfile, too, and changes nothing about what is installed. */
function withoutVersion(text: string): string {
  try {
    const lock = JSON.parse(text) as Record<string, unknown>;
    const packages = lock.packages as Record<string, object> | undefined;
    const bare = { name: undefined, version: undefined };
    return JSON.stringify({
      ...lock,
      ...bare,
      packages: { ...packages, '': { ...packages?.[''], ...bare } },
    });
  } catch {
    return text; // npm will say what is wrong with it
  }
}
