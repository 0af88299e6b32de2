/** Turns the issues of valibot into problems: the most telling ones, with the value filled in. */
import type * as v from 'valibot';
import type { Path, Problem } from '../diagnostic.js';
import { showValue } from '../redact.js';

/** The smallest configuration. */
export const EXAMPLE = 'services: {api: {script: server.js}}';

type Issue = v.BaseIssue<unknown>;

export function problemsOf(issues: readonly Issue[], base: Path = []): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...(issue.path ?? []).map((item) => item.key as string | number)];
    const deeper = (issue.issues ?? []).filter(({ path: below }) => below && below.length > 0);
    return deeper.length > 0 ? problemsOf(deeper, path) : [problemOf(issue, path)];
  });
}

function problemOf(issue: Issue, path: Path): Problem {
  const isMissing = issue.kind === 'schema' && issue.input === undefined && issue.expected?.startsWith('"');
  if (isMissing) return missing(path);
  const [fact = '', hint = ''] = issue.message.split('\n');
  const prefix = typeof path.at(-1) === 'number' ? '' : `${keyOf(path)}: `;
  const fill = (text: string): string =>
    text
      .replaceAll('{value}', () => showValue(issue.input, path))
      .replaceAll('{key}: ', () => prefix)
      .replaceAll('{key}', () => keyOf(path));
  const at = issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value';
  return {
    severity: 'error',
    path,
    at,
    message: fill(fact),
    hint: path.length === 0 ? `write ${EXAMPLE}` : fill(hint),
  };
}

function missing(path: Path): Problem {
  const key = keyOf(path);
  return {
    severity: 'error',
    path: path.slice(0, -1),
    at: 'key',
    message: `"${key}" is missing`,
    hint: key === 'services' ? `write ${EXAMPLE}` : `write ${key}: ...`,
  };
}

/** The nearest key that has a name: items of a list have none. */
function keyOf(path: Path): string {
  return String(path.findLast((item) => typeof item === 'string') ?? 'the configuration');
}
