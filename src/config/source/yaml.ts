/** Reads YAML (and, once it is known to be strict, JSON), with the position of every key and value. */
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { toDiagnostic, type Diagnostic, type Path, type Source } from '../diagnostic.js';
import { findYamlTraps } from './yaml-traps.js';
import { explainYamlError } from './yaml-errors.js';
import { positionAt, positionOf, type Locate, type Place } from './position.js';

type Yaml = typeof import('yaml');

export interface YamlResult {
  readonly value: unknown;
  readonly locate: Locate;
  readonly diagnostics: readonly Diagnostic[];
}

export async function readYaml(source: Source): Promise<YamlResult> {
  const yaml = await import('yaml');
  const document = yaml.parseDocument(source.text, { merge: true, prettyErrors: false, keepSourceTokens: true });
  const syntax = [...document.errors, ...document.warnings].map((error) =>
    toDiagnostic(
      { severity: 'error', path: [], ...explainYamlError(error, source.text) },
      source,
      positionAt(source.text, error.pos[0], error.pos[1]),
    ),
  );
  const locate: Locate = (path, at) => positionOf(source.text, findPlace(yaml, document, path), at);
  if (syntax.length > 0) return { value: undefined, locate, diagnostics: syntax };
  const traps = findYamlTraps(yaml, document).map((problem) =>
    toDiagnostic(problem, source, locate(problem.path, problem.at ?? 'value')),
  );
  return { value: document.toJS(), locate, diagnostics: traps };
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
  const isEmpty = yaml.isScalar(value) && value.source === '';
  return { key: range(key), value: isEmpty ? null : range(value), isCollection: yaml.isCollection(value) };
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
  return yaml.isAlias(node) ? node.resolve(document as Document<Node>) : node;
}
