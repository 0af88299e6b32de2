/** Where builds come from, with every default filled in. */
import { resolve } from 'node:path';
import type { SecretSpec, SourceSpec } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedSource } from '../schema.js';
import { kindOf } from './lookup.js';
import { secretSpec } from './secret.js';
import type { ProgramContext } from './program.js';

export async function sourceSpec(source: ParsedSource, context: ProgramContext): Promise<SourceSpec> {
  const need = (key: string, value: string | undefined, example: string): string => {
    if (value === undefined)
      context.refuse(['source'], `a source of type ${source.type} needs ${key}`, `write ${key}: ${example}`);
    return value ?? '';
  };
  const secretOf = async (key: 'token') =>
    key in source && source[key] ? secretThatIsThere(source[key], ['source', key], context) : null;
  switch (source.type) {
    case 'gitlab':
      return {
        type: 'gitlab',
        url: withoutSlash(source.url ?? 'https://gitlab.com'),
        project: need('project', source.project, 'web/shop'),
        job: need('job', source.job, 'build'),
        token: await secretOf('token'),
        package: packageOf(source.package),
        keep: source.keep ?? true,
      };
    case 'github':
      if (source.artifact === undefined && source.asset === undefined)
        need('artifact or asset', undefined, 'build');
      return {
        type: 'github',
        url: withoutSlash(source.url ?? 'https://api.github.com'),
        repository: need('repository', source.repository, 'owner/name'),
        artifact: source.artifact ?? null,
        asset: source.asset ?? null,
        token: await secretOf('token'),
      };
    case 'git':
      return {
        type: 'git',
        url: pathOrAddress(need('url', source.url, 'git@example.com:web/shop.git'), context.folder),
        ref: source.ref ?? 'HEAD',
      };
    case 'file':
      return { type: 'file', path: source.path === undefined ? null : resolve(context.folder, source.path) };
    case 'http':
      return {
        type: 'http',
        url:
          typeof source.url === 'object'
            ? await secretThatIsThere(source.url, ['source', 'url'], context)
            : need('url', source.url, 'https://example.com/app-{version}.tgz'),
        sha256: checksumOf(source, context),
        headers: await headersOf(source.headers ?? {}, context),
      };
    case 'npm':
      return {
        type: 'npm',
        package: need('package', source.package, 'shop'),
        registry: withoutSlash(source.registry ?? 'https://registry.npmjs.org'),
        token: await secretOf('token'),
      };
  }
}

type Http = Extract<SourceSpec, { type: 'http' }>;

/** A checksum that is written down is the one of a single build. */
function checksumOf(
  { url, sha256 }: Extract<ParsedSource, { type: 'http' }>,
  { refuse }: ProgramContext,
): Http['sha256'] {
  if (typeof sha256 === 'object') return sha256;
  const hint = 'write sha256: {url: https://example.com/app-{version}.tgz.sha256}';
  if (sha256 === undefined) refuse(['source'], 'what comes by http is not released without a checksum', hint);
  else if (typeof url === 'string' && /\{(?:version|commit|ref)\}/.test(url))
    refuse(['source', 'sha256'], 'the URL differs from build to build, and the checksum does not', hint);
  return { is: sha256 ?? '' };
}

async function headersOf(
  headers: NonNullable<Extract<ParsedSource, { type: 'http' }>['headers']>,
  context: ProgramContext,
): Promise<Http['headers']> {
  const specs: Http['headers'] = {};
  for (const [key, value] of Object.entries(headers)) {
    const part: Path = ['source', 'headers', key];
    specs[key.toLowerCase()] =
      typeof value === 'string' ? value : await secretThatIsThere(value, part, context);
  }
  return specs;
}

async function secretThatIsThere(
  said: Parameters<typeof secretSpec>[0],
  part: Path,
  context: ProgramContext,
): Promise<SecretSpec> {
  const secret = await secretSpec(said, part, context);
  if (said.file === undefined || !('file' in secret) || (await kindOf(secret.file)) === 'file') return secret;
  const hint = 'create it, or correct the path';
  context.refuse([...part, 'file'], `the file "${said.file}" does not exist (${secret.file})`, hint);
  return secret;
}

function packageOf(
  said: Extract<ParsedSource, { type: 'gitlab' }>['package'],
): Extract<SourceSpec, { type: 'gitlab' }>['package'] {
  if (said === undefined) return null;
  const { name, file } = typeof said === 'string' ? { name: said, file: undefined } : said;
  return { name, file: file ?? `${name}.tar.gz` };
}

/** `./shop` and `../shop.git` lie beside the file; what else git takes is its own affair. */
function pathOrAddress(url: string, folder: string): string {
  return /^\.{1,2}(?:\/|$)/.test(url) ? resolve(folder, url) : url;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
