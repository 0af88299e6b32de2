/** Reads YAML (and, once it is known to be strict, JSON), with the position of every key and value. */
import type { Alias, Document, Pair, YAMLMap } from 'yaml';
import { toDiagnostic, type Diagnostic, type Path, type Source } from '../diagnostic.js';
import { findYamlTraps } from './yaml-traps.js';
import { explainYamlError, LOST_ALIAS } from './yaml-errors.js';
import { positionAt, positionOf, type Locate, type Place } from './position.js';

type Yaml = typeof import('yaml');

export interface YamlResult {
  readonly value: unknown;
  readonly locate: Locate;
  readonly diagnostics: readonly Diagnostic[];
}

export async function readYaml(source: Source): Promise<YamlResult> {
  const yaml = await import('yaml');
  const document = yaml.parseDocument(source.text, {
    merge: true,
    prettyErrors: false,
    keepSourceTokens: true,
  });
  const syntax = firstOfEachLine(
    [...document.errors, ...document.warnings].map((error) => {
      const [start, end] = rangeOfError(error.pos, source.text);
      const problem = { severity: 'error', path: [], ...explainYamlError(error, source.text) } as const;
      return toDiagnostic(problem, source, positionAt(source.text, start, end));
    }),
  );
  const lost = findLostAliases(yaml, document).map(({ range }) => {
    const problem = { severity: 'error', path: [], ...LOST_ALIAS } as const;
    return toDiagnostic(problem, source, positionAt(source.text, range?.[0] ?? 0, range?.[1] ?? 1));
  });
  const locate: Locate = (path, at) => positionOf(source.text, findPlace(yaml, document, path), at);
  const broken = syntax.length > 0 ? syntax : lost;
  if (broken.length > 0) return { value: undefined, locate, diagnostics: broken };
  const traps = findYamlTraps(yaml, document).map((problem) =>
    toDiagnostic(problem, source, locate(problem.path, problem.at ?? 'value')),
  );
  return { value: document.toJS(), locate, diagnostics: traps };
}

/** What is missing at the end of the file is missing behind its last word. */
function rangeOfError([start, end]: readonly [number, number], text: string): [number, number] {
  const length = text.trimEnd().length;
  return start < length ? [start, end] : [Math.max(0, length - 1), length];
}

/** The parser stumbles on: what follows on the same line is the consequence of the first error. */
function firstOfEachLine(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.filter(
    ({ line }, index) => diagnostics.findIndex((other) => other.line === line) === index,
  );
}

/** An alias without its anchor is no syntax error; it would only throw later. */
function findLostAliases(yaml: Yaml, document: Document): Alias[] {
  const lost: Alias[] = [];
  yaml.visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document)) lost.push(alias);
    },
  });
  return lost;
}

function findPlace(yaml: Yaml, document: Document, path: Path): Place {
  let place = placeOf(yaml, null, document.contents);
  let node: unknown = document.contents;
  for (const item of path) {
    const inner = resolve(yaml, document, node);
    if (yaml.isMap(inner)) {
      const pair = findPair(yaml, document, inner, String(item));
      if (!pair) return place.key ? { ...place, isCollection: true } : place;
      node = pair.value;
      place = placeOf(yaml, pair.key, node);
    } else if (yaml.isSeq(inner) && typeof item === 'number' && inner.items[item] !== undefined) {
      node = inner.items[item];
      place = placeOf(yaml, null, node);
    } else {
      return place;
    }
  }
  return place;
}

function placeOf(yaml: Yaml, key: unknown, value: unknown): Place {
  const range = (node: unknown): Place['key'] =>
    yaml.isNode(node) && node.range ? [node.range[0], node.range[1]] : null;
  const isEmpty = yaml.isScalar(value) && value.type === 'PLAIN' && value.source === '';
  return {
    key: range(key),
    value: isEmpty ? null : range(value),
    isCollection: yaml.isCollection(value),
    isLiteral: true,
  };
}

/** The pair of a key, also where a merge key (`<<`) brings it in. */
function findPair(yaml: Yaml, document: Document, map: YAMLMap, key: string): Pair | undefined {
  const own = map.items.find((pair) => yaml.isScalar(pair.key) && String(pair.key.value) === key);
  if (own) return own;
  for (const pair of map.items) {
    if (!yaml.isScalar(pair.key) || pair.key.source !== '<<') continue;
    const merged = resolve(yaml, document, pair.value);
    for (const each of yaml.isSeq(merged) ? merged.items : [merged]) {
      const target = resolve(yaml, document, each);
      const found = yaml.isMap(target) ? findPair(yaml, document, target, key) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

function resolve(yaml: Yaml, document: Document, node: unknown): unknown {
  return yaml.isAlias(node) ? node.resolve(document) : node;
}
