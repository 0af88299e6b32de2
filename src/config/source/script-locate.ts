/**
 * Finds the place of a value in a JavaScript or TypeScript file by walking its object literals, as far as
 * they can be followed without running the file: through calls, casts, variables, functions and spreads.
 */
import type { Node, ObjectProperty, Program } from '@babel/types';
import type { Path } from '../diagnostic.js';
import type { Place } from './position.js';

type Names = ReadonlyMap<string, Node>;

/** The place of the path, or of its nearest ancestor that stands in the file. */
export function findScriptPlace(program: Program, path: Path): Place | null {
  const root = findRoot(program);
  if (!root) return null;
  const names = namesOf(program);
  return descend(root, path, names, placeOf(null, root, names));
}

/** `export default …` or `module.exports = …`. */
function findRoot(program: Program): Node | undefined {
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration') return statement.declaration;
    if (statement.type === 'TSExportAssignment') return statement.expression;
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression')
      continue;
    const { left, right } = statement.expression;
    if (left.type === 'MemberExpression' && isNamed(left.property, 'exports')) return right;
  }
  return undefined;
}

function descend(node: Node, path: Path, names: Names, place: Place): Place {
  const [item, ...rest] = path;
  if (item === undefined) return place;
  const child = childOf(node, item, names);
  if (!child) return { ...place, isCollection: place.isCollection || place.key !== null, isLiteral: false };
  return descend(child.value, rest, names, placeOf(child.key, child.value, names));
}

interface Child {
  readonly key: Node | null;
  readonly value: Node;
}

function childOf(node: Node, item: string | number, names: Names): Child | undefined {
  for (const literal of literalsOf(node, names)) {
    const child =
      literal.type === 'ArrayExpression' ? itemOf(literal.elements, item) : entryOf(literal, item, names);
    if (child) return child;
  }
  return undefined;
}

/** Behind a spread the count of items is unknown. */
function itemOf(elements: readonly (Node | null)[], item: string | number): Child | undefined {
  if (typeof item !== 'number' || elements.slice(0, item + 1).some((each) => each?.type === 'SpreadElement'))
    return;
  const value = elements[item];
  return value ? { key: null, value } : undefined;
}

type Literal = Extract<Node, { type: 'ObjectExpression' | 'ArrayExpression' }>;

/** What stands later wins, as it does when the file runs. */
function entryOf(literal: Extract<Node, { type: 'ObjectExpression' }>, item: string | number, names: Names) {
  for (const property of literal.properties.toReversed()) {
    if (property.type === 'SpreadElement') {
      const child = childOf(property.argument, item, names);
      if (child) return child;
    } else if (keyOf(property) === String(item)) {
      return { key: property.key, value: property.type === 'ObjectProperty' ? property.value : property };
    }
  }
  return undefined;
}

function keyOf({ key, computed }: Pick<ObjectProperty, 'key' | 'computed'>): string | undefined {
  if (key.type === 'StringLiteral' || key.type === 'NumericLiteral') return String(key.value);
  return key.type === 'Identifier' && !computed ? key.name : undefined;
}

/** The literals that an expression may stand for, the most likely one first. */
function literalsOf(node: Node | null | undefined, names: Names, depth = 0): Literal[] {
  if (!node || depth > 20) return [];
  const follow = (...nodes: (Node | null | undefined)[]): Literal[] =>
    nodes.flatMap((each) => literalsOf(each, names, depth + 1));
  switch (node.type) {
    case 'ObjectExpression':
    case 'ArrayExpression':
      return [node];
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'ParenthesizedExpression':
      return follow(node.expression);
    case 'AwaitExpression':
    case 'ReturnStatement':
      return follow(node.argument);
    case 'ConditionalExpression':
      return follow(node.consequent, node.alternate);
    case 'LogicalExpression':
      return follow(node.left, node.right);
    case 'Identifier':
      return follow(names.get(node.name));
    case 'CallExpression':
      return isWrapper(node.callee, names) ? follow(...node.arguments) : follow(node.callee);
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
    case 'FunctionDeclaration':
      return follow(node.body);
    case 'BlockStatement':
      return follow(...node.body.filter(({ type }) => type === 'ReturnStatement'));
    case 'MemberExpression':
      return memberOf(node.object, node, names, follow);
    default:
      return [];
  }
}

function memberOf(
  object: Node,
  { property, computed }: { property: Node; computed: boolean },
  names: Names,
  follow: (node: Node | undefined) => Literal[],
): Literal[] {
  const isPlain = property.type === 'Identifier' && !computed;
  return isPlain ? follow(childOf(object, property.name, names)?.value) : [];
}

/** A function from elsewhere, such as `defineConfig` or `Object.freeze`, most likely returns what it is given. */
function isWrapper(callee: Node, names: Names): boolean {
  return callee.type !== 'Identifier' || !names.has(callee.name);
}

/** Variables and functions of the file, also inside functions: the first of a name counts. */
function namesOf(program: Program): Names {
  const names = new Map<string, Node>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    if (value.type === 'VariableDeclarator' && value.id.type === 'Identifier' && value.init) {
      if (!names.has(value.id.name)) names.set(value.id.name, value.init);
    }
    if (value.type === 'FunctionDeclaration' && value.id) names.set(value.id.name, value);
    for (const [key, child] of Object.entries(value)) if (key !== 'loc') visit(child);
  };
  visit(program);
  return names;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function placeOf(key: Node | null, value: Node, names: Names): Place {
  const range = (node: Node | null): Place['key'] => node && [node.start ?? 0, node.end ?? 1];
  const isCollection = literalsOf(value, new Map()).length > 0;
  return { key: range(key), value: range(value), isCollection, isLiteral: isLiteral(value, names) };
}

/** Whether the value itself is written there, and not taken from elsewhere, such as `process.env`. */
function isLiteral(node: Node | undefined, names: Names): boolean {
  switch (node?.type) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return true;
    case 'TemplateLiteral':
      return node.expressions.length === 0;
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return isLiteral(node.expression, names);
    case 'BinaryExpression':
      return isLiteral(node.left, names) && isLiteral(node.right, names);
    case 'Identifier':
      return names.get(node.name) !== node && isLiteral(names.get(node.name), names);
    default:
      return false;
  }
}
