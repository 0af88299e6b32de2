/** What YAML reads differently from how it looks: numbers in variables, leading zeros, empty values. */
import type { Document, Pair, Scalar } from 'yaml';
import type { Path, Problem } from '../diagnostic.js';
import { isSecretKey, showValue } from '../redact.js';

type Yaml = typeof import('yaml');

export function findYamlTraps(yaml: Yaml, document: Document): Problem[] {
  const problems: Problem[] = [];
  const sharedEnv = document.getIn(['env']);
  const isShared = (key: string): boolean => yaml.isMap(sharedEnv) && sharedEnv.has(key);
  yaml.visit(document, {
    Scalar(role, scalar, ancestors) {
      if (role === 'key' || scalar.type !== 'PLAIN') return;
      const path = pathOf(yaml, ancestors, scalar);
      const isVariable = path.at(-2) === 'env';
      const problem = isVariable ? trapOfVariable(scalar, path, isShared) : trapOfNumber(scalar, path);
      if (problem) problems.push(problem);
    },
  });
  return problems;
}

function trapOfVariable(scalar: Scalar, path: Path, isShared: (key: string) => boolean): Problem | undefined {
  const key = String(path.at(-1));
  const source = scalar.source ?? '';
  if (scalar.value === null) {
    const removes = source !== '' || (path.length > 2 && isShared(key));
    return removes ? undefined : emptyVariable(path, key);
  }
  if (typeof scalar.value === 'string' || `${scalar.value as number | boolean}` === source) return undefined;
  if (isSecretKey(key))
    return changed(path, 'the value changes when it is read as a number', `${key}: "..."`);
  return changed(path, `${source} is read as ${showValue(scalar.value)}`, `${key}: "${source}"`);
}

function changed(path: Path, message: string, quoted: string): Problem {
  return { severity: 'error', path, message, hint: `quote it to keep it as it is written: ${quoted}` };
}

function emptyVariable(path: Path, key: string): Problem {
  return {
    severity: 'warning',
    path,
    at: 'key',
    message: 'has no value, so the variable is not set',
    hint: `write ${key}: "" for an empty text, or remove the line`,
  };
}

function trapOfNumber(scalar: Scalar, path: Path): Problem | undefined {
  if (typeof scalar.value !== 'number' || !/^[-+]?0[\d_]/.test(scalar.source ?? '')) return undefined;
  return {
    severity: 'error',
    path,
    message: `${scalar.source} begins with 0, which some read as octal`,
    hint: `write ${scalar.value}`,
  };
}

function pathOf(yaml: Yaml, ancestors: readonly unknown[], scalar: Scalar): Path {
  const chain = [...ancestors, scalar];
  return chain.flatMap((node, index): (string | number)[] => {
    if (yaml.isPair(node)) return [String((node as Pair<Scalar>).key.value)];
    return yaml.isSeq(node) ? [node.items.indexOf(chain[index + 1])] : [];
  });
}
