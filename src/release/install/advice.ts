/** The next step after an installation that has failed, from what the package manager said. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /in sync|OUTDATED_LOCKFILE|lockfile needs to be updated|lockfile would have been modified/i,
    'install where it is built, and pack the lockfile that comes out: package.json was changed without it',
  ],
  [/ENOSPC|EDQUOT/, 'make room on the disk'],
  [
    /EINTEGRITY|integrity check(?:sum)? failed|Integrity check failed/i,
    'a package is not what the lockfile says: find out why before you go on',
  ],
  [
    /\bE401\b|\bE403\b|ENEEDAUTH|ERR_PNPM_FETCH_40[13]/,
    'see that the token for the registry is there for the user of the daemon: ~/.npmrc',
  ],
  [
    /\bE404\b|ETARGET|ERR_PNPM_FETCH_404/,
    'see that the package is in the registry, and that the token may read it',
  ],
  [
    /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/,
    'see that this host reaches the registry; proxies are taken from the environment of the daemon',
  ],
  [
    /gyp ERR!|node-pre-gyp ERR/,
    'a native module has to be compiled: install make, g++ and python3, or take a version that comes built for this Node',
  ],
  [
    /EBADENGINE|Unsupported engine|incompatible with this module/i,
    'set the Node of the service to one that the packages ask for',
  ],
  [
    /\bE?ACCES\b|\bEPERM\b/,
    'see that the user of the daemon may write to its home and to the folder of the release',
  ],
  [
    /: not found$|command not found|code 127/,
    'a script of package.json needs what is only a development dependency: set build, or take the script out',
  ],
];

/** About one line of what it printed. */
export function adviseInstall(line: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(line))?.[1];
}

/** Packages whose install scripts npm did not run, because nobody has allowed them: `esbuild@0.28.2`. */
export function skippedScripts(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^npm warn (?:install|allow)-scripts\s+(\S+@\S+) \(/i.exec(line)?.[1] ?? []);
}
