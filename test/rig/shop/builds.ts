/** Builds of a shop, as a CI would upload them: an archive with the program and what the build says of itself. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { app } from '../paths.js';

export const KINDS = [
  'good',
  'hangs-at-boot',
  'exits-at-boot',
  'exits-later',
  'fails-sometimes',
  'fails-often',
  'wrong-port',
  'smoke-red',
  'hangs-later',
  'leaks',
  'slow',
  'new-exception',
  'complains-at-boot',
  'missing-configuration',
  'missing-module',
  'syntax-error',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Build {
  readonly version: string;
  readonly kind: Kind;
  readonly commit: string;
  readonly archive: string;
  /** What is in it, as a folder. */
  readonly root: string;
}

/** `files` beside the program, by path. */
export function makeBuild(
  folder: string,
  version: string,
  kind: Kind = 'good',
  files: Readonly<Record<string, string>> = {},
): Build {
  const commit = Buffer.from(version.padEnd(20, '.')).toString('hex').slice(0, 40);
  const root = join(folder, `shop-${version}`);
  mkdirSync(root, { recursive: true });
  copyFileSync(app('shop.cjs'), join(root, 'server.cjs'));
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(root, name), typeof value === 'string' ? value : JSON.stringify(value));
  write('behaviour.json', { version, kind });
  write('package.json', { name: 'shop', version });
  write('upkeep.build.json', { commit, version, environment: 'production', dirty: false });
  if (kind === 'syntax-error') write('server.cjs', 'const shop = {;\n');
  if (kind === 'missing-module') write('server.cjs', "require('bcrypt');\n");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    write(name, text);
  }
  const archive = join(folder, `shop-${version}.tgz`);
  execFileSync('tar', ['-czf', archive, '-C', folder, `shop-${version}`]);
  return { version, kind, commit, archive, root };
}
