/** How each package manager installs exactly what a lockfile says, asks nobody, and shares no file with its own store. */
import type { ManagerName } from './plan.js';

export interface Manager {
  /** Its program. */
  readonly program: string;
  /** @param isDev what is needed to build, too */
  install(isDev: boolean): readonly string[];
  /** Takes away what was only needed to build; null: it cannot. */
  readonly prune: readonly string[] | null;
}

const QUIET_NPM = ['--no-audit', '--no-fund', '--no-progress', '--no-update-notifier'];
/** Links into its store would be changed by whoever changes that; and its programs would name the folder that they were made in. */
const OWN_FILES = ['--package-import-method=clone-or-copy', '--config.extend-node-path=false'];
const QUIET_YARN = ['--non-interactive', '--no-progress'];

export const MANAGER_OF: Readonly<Record<ManagerName, Manager>> = {
  npm: {
    program: 'npm',
    install: (isDev) => ['ci', isDev ? '--include=dev' : '--omit=dev', ...QUIET_NPM],
    prune: ['prune', '--omit=dev', ...QUIET_NPM],
  },
  pnpm: {
    program: 'pnpm',
    install: (isDev) => [
      'install',
      '--frozen-lockfile',
      isDev ? '--prod=false' : '--prod',
      '--reporter=append-only',
      ...OWN_FILES,
    ],
    prune: ['prune', '--prod', ...OWN_FILES],
  },
  yarn: {
    program: 'yarn',
    install: (isDev) => ['install', '--frozen-lockfile', `--production=${!isDev}`, ...QUIET_YARN],
    prune: [
      'install',
      '--frozen-lockfile',
      '--production=true',
      '--offline',
      '--ignore-scripts',
      ...QUIET_YARN,
    ],
  },
  // It installs all or needs a plugin to leave something out, depending on its version.
  'yarn-berry': { program: 'yarn', install: () => ['install', '--immutable'], prune: null },
};
