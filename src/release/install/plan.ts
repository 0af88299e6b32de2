/** Decides what is installed with what: by the lockfile, because it is what the build was tested with. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UpkeepError, type ReleaseSpec } from '../../protocol/index.js';
import { wantedNames, type Package } from './project.js';

export const MANAGERS = ['npm', 'pnpm', 'yarn', 'yarn-berry'] as const;
export type ManagerName = (typeof MANAGERS)[number];

export type InstallPlan =
  /** `why` is for a person. */
  | { readonly by: 'nothing'; readonly why: string }
  | { readonly by: 'command'; readonly argv: readonly string[] }
  | {
      readonly by: 'manager';
      readonly manager: ManagerName;
      /** Its name in the release. */ readonly lockfile: string;
    };

type Wish = Pick<ReleaseSpec, 'install' | 'build'>;
type Lock = Pick<Extract<InstallPlan, { by: 'manager' }>, 'manager' | 'lockfile'>;

export function planInstall(
  release: string,
  package_: Package | null,
  { install, build }: Wish,
): InstallPlan {
  if (install.by === 'command') return { by: 'command', argv: install.argv };
  if (install.by === 'none') return { by: 'nothing', why: 'the configuration wants nothing installed' };
  if (package_ === null) return { by: 'nothing', why: 'the release has no package.json' };
  const wanted = wantedNames(package_, build !== null);
  if (wanted.length === 0) return { by: 'nothing', why: 'its package.json names no dependencies' };
  const locks = findLocks(release).filter(
    ({ manager }) => install.by === 'auto' || manager.startsWith(install.by),
  );
  if (locks.length === 0) return refuseWithoutLock(release, install.by, wanted);
  return { by: 'manager', ...chooseLock(release, locks, package_) };
}

/** A shrinkwrap comes before a package-lock, as with npm itself. */
function findLocks(release: string): Lock[] {
  const has = (lockfile: string): boolean => existsSync(join(release, lockfile));
  const npm = ['npm-shrinkwrap.json', 'package-lock.json'].find(has);
  const locks: Lock[] = npm === undefined ? [] : [{ manager: 'npm', lockfile: npm }];
  if (has('pnpm-lock.yaml')) locks.push({ manager: 'pnpm', lockfile: 'pnpm-lock.yaml' });
  if (has('yarn.lock')) locks.push({ manager: yarnOf(join(release, 'yarn.lock')), lockfile: 'yarn.lock' });
  return locks;
}

function yarnOf(lockfile: string): ManagerName {
  return /^__metadata:/m.test(readFileSync(lockfile, 'utf8')) ? 'yarn-berry' : 'yarn';
}

function chooseLock(release: string, locks: readonly Lock[], { packageManager }: Package): Lock {
  const [only, ...more] = locks;
  if (more.length === 0) return only!;
  const named = locks.find(({ manager }) => packageManager?.split('@')[0] === manager.split('-')[0]);
  if (named) return named;
  const files = locks.map(({ lockfile }) => lockfile).join(' and ');
  throw new UpkeepError('release-refused', `Cannot install "${release}": it has ${files}`, {
    hint: 'set install to the one of npm, pnpm and yarn that the build is tested with, or remove the other lockfile',
  });
}

function refuseWithoutLock(release: string, by: string, wanted: readonly string[]): never {
  const lockfile = by === 'auto' ? 'no lockfile' : `no lockfile of ${by}`;
  const some =
    wanted.length > 3 ? `${wanted.slice(0, 3).join(', ')} and ${wanted.length - 3} more` : wanted.join(', ');
  const brings = existsSync(join(release, 'node_modules'));
  throw new UpkeepError(
    'release-refused',
    `Cannot install "${release}": it depends on ${some}, and has ${lockfile}`,
    {
      hint: brings
        ? 'the build brings a node_modules: set install to none to take it as it is, or pack the lockfile with the build'
        : 'pack the lockfile with the build; or set install to none, or to a command such as npm install --omit=dev',
    },
  );
}
