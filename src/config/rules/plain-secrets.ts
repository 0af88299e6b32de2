/** Secrets that stand openly in the configuration; their values are never printed. */
import type { Report } from '../diagnostic.js';
import type { EnvLayer } from '../draft.js';
import { hasUrlPassword, isSecretKey } from '../redact.js';

export function checkPlainSecrets(layers: readonly EnvLayer[], report: Report): void {
  for (const { values, path } of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (value === null || value === '') continue;
      const isUrl = hasUrlPassword(value);
      if (isUrl || isSecretKey(key)) reportSecret([...path, key], key, isUrl, report);
    }
  }
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
