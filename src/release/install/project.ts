/** What of a release says how it is to be installed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { UpkeepError } from '../../protocol/index.js';

const names = v.optional(v.record(v.string(), v.string()), {});

export const Package = v.looseObject({
  name: v.optional(v.string()),
  dependencies: names,
  optionalDependencies: names,
  devDependencies: names,
  peerDependencies: names,
  scripts: v.optional(v.record(v.string(), v.unknown()), {}),
  workspaces: v.optional(v.unknown()),
  packageManager: v.optional(v.string()),
});
export type Package = v.InferOutput<typeof Package>;

/** null: the release has none. */
export function readPackage(release: string): Package | null {
  const path = join(release, 'package.json');
  if (!existsSync(path)) return null;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Package), readFileSync(path, 'utf8'));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const key = v.getDotPath(issue);
  throw new UpkeepError(
    'release-refused',
    `Cannot read "${path}": ${key === null ? '' : `${key}: `}${issue.message}`,
    {
      hint: 'correct it where it is made, and build again',
    },
  );
}

/** What would be installed, by name. */
export function wantedNames(package_: Package, isDev: boolean): string[] {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = package_;
  return Object.keys({
    ...peerDependencies,
    ...optionalDependencies,
    ...dependencies,
    ...(isDev && devDependencies),
  });
}
