/** Secrets that stand openly in the configuration; their values are never printed. */
import type { Path, Report } from '../diagnostic.js';
import type { EnvLayer } from '../draft.js';
import type { ReleaseDraft } from '../draft/release.js';
import { isMap } from '../schema.js';
import { hasSecretAssignment, hasSecretParameter, hasUrlPassword, isSecretKey } from '../redact.js';

export function checkPlainSecrets(layers: readonly EnvLayer[], report: Report): void {
  for (const { values, path } of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (value === null || value === '') continue;
      const isUrl = hasUrlPassword(value);
      if (isUrl || isSecretKey(key)) reportSecret([...path, key], key, isUrl, report);
    }
  }
}

/** What describes a release is kept with its journal, so that a password in it would stay. */
export function checkPlainSecretsOfRelease({ release, place }: ReleaseDraft, report: Report): void {
  visit(release, []);

  function visit(value: unknown, part: Path): void {
    if (typeof value === 'string') check(value, part);
    else if (Array.isArray(value)) value.forEach((each, index) => visit(each, [...part, index]));
    else if (isMap(value)) for (const [key, each] of Object.entries(value)) visit(each, [...part, key]);
  }

  function check(value: string, part: Path): void {
    const found = findSecret(value, part);
    if (found) report({ path: place(part), at: 'key', ...found });
  }
}

/** Commands that begin in these keys; a reason or a text that is looked for may speak of a token. */
const COMMANDS: Path = ['signature', 'install', 'build', 'requires', 'hooks', 'traffic'];

function findSecret(value: string, part: Path): Omit<Parameters<Report>[0], 'path'> | undefined {
  const [first = ''] = part;
  const isOfSource = first === 'source';
  const key = String(part.at(-1));
  if (part.at(-2) === 'headers' && isSecretKey(key)) {
    const hint = `write ${key}: {file: ./${key.toLowerCase()}}`;
    return { message: 'a secret is given as text, which would be stored', hint };
  }
  const elsewhere = 'let the command read it from a file or its environment';
  if (hasUrlPassword(value) || hasSecretParameter(value)) {
    const hint = isOfSource
      ? 'write token, headers or url with {file: ...}; for git, a deploy key or a credential helper of the daemon'
      : elsewhere;
    return { message: 'a URL with a secret in it stands here, which would be stored', hint };
  }
  if (!COMMANDS.includes(first) || !hasSecretAssignment(value)) return undefined;
  return { severity: 'warning', message: 'a secret stands here in plain text', hint: elsewhere };
}

function reportSecret(path: EnvLayer['path'], key: string, isUrl: boolean, report: Report): void {
  const file = key.toLowerCase().replaceAll('_', '-');
  report({
    severity: 'warning',
    path,
    isAboutLiterals: true,
    at: 'key',
    message: isUrl ? 'a URL with a password stands here in plain text' : 'a secret stands here in plain text',
    hint: `use secrets: {${key}: {file: ./${file}}}, and keep that file out of the repository`,
  });
}
