/**
 * The JSON Schema for editors: the shape comes from the schema that checks configurations, the texts from the
 * comments in the files of definitions. Only the build imports this file.
 */
import { parse } from '@babel/parser';
import type { Comment, Node, TSInterfaceDeclaration } from '@babel/types';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Config } from './schema.js';

export interface JsonSchema {
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  [key: string]: unknown;
}

/** What only a script can write. */
const NEVER = { not: {} };

/** What people write, as types: files beside this one. */
export const DEFINITIONS = ['define.ts', 'define/release.ts'] as const;

/** `definitions`: the texts of these files. */
export function configJsonSchema(definitions: readonly string[]): JsonSchema {
  const schema = toJsonSchema(Config, {
    typeMode: 'input',
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'instance' ? NEVER : undefined),
  }) as JsonSchema;
  const interfaces: Interfaces = new Map(definitions.flatMap(readInterfaces));
  describe(schema, ['UpkeepConfig'], interfaces);
  return {
    ...schema,
    title: 'upkeep.config',
    description: interfaces.get('UpkeepConfig')?.text.description ?? '',
  };
}

interface Text {
  readonly description?: string;
  readonly default?: unknown;
}

interface Member {
  readonly text: Text;
  /** Interfaces that its type mentions. */
  readonly types: readonly string[];
}

interface Interface {
  readonly text: Text;
  readonly members: Readonly<Record<string, Member>>;
  readonly parents: readonly string[];
}

type Interfaces = ReadonlyMap<string, Interface>;

/** Gives every property the text of its member, and goes on with the interfaces that its type mentions. */
function describe(schema: JsonSchema, types: readonly string[], interfaces: Interfaces): void {
  const members = membersFor(Object.keys(schema.properties ?? {}), types, interfaces);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const member = members[key];
    if (!member) continue;
    Object.assign(property, member.text);
    describe(property, member.types, interfaces);
  }
  const { anyOf = [], oneOf = [] } = schema;
  const inner = [schema.items, schema.additionalProperties, ...anyOf, ...oneOf];
  for (const each of inner) if (typeof each === 'object') describe(each, types, interfaces);
}

/** Of types that may stand in the same place, the one that has just these keys; else all of them together. */
function membersFor(
  keys: readonly string[],
  types: readonly string[],
  interfaces: Interfaces,
): Record<string, Member> {
  const all = types.map((name) => membersOf(name, interfaces));
  const exact = all.find((members) => keys.length > 0 && isSame(Object.keys(members), keys));
  return exact ?? (Object.assign({}, ...all) as Record<string, Member>);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each) => others.includes(each));
}

function membersOf(name: string, interfaces: Interfaces): Record<string, Member> {
  const found = interfaces.get(name);
  const inherited = found?.parents.map((parent) => membersOf(parent, interfaces)) ?? [];
  return Object.assign({}, ...inherited, found?.members) as Record<string, Member>;
}

function readInterfaces(definitions: string): [string, Interface][] {
  const { program } = parse(definitions, { sourceType: 'module', plugins: ['typescript'] });
  const interfaces: [string, Interface][] = [];
  for (const statement of program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : undefined;
    if (declared?.type !== 'TSInterfaceDeclaration') continue;
    const described: Interface = {
      text: textOf(statement.leadingComments),
      members: readMembers(declared),
      parents: (declared.extends ?? []).flatMap(typesIn),
    };
    interfaces.push([declared.id.name, described]);
  }
  return interfaces;
}

function readMembers({ body }: TSInterfaceDeclaration): Record<string, Member> {
  const members: Record<string, Member> = {};
  for (const member of body.body) {
    if (member.type !== 'TSPropertySignature') continue;
    const { key } = member;
    const name = key.type === 'Identifier' ? key.name : key.type === 'StringLiteral' ? key.value : undefined;
    if (name === undefined) continue;
    members[name] = {
      text: textOf(member.leadingComments),
      types: typesIn(member.typeAnnotation),
    };
  }
  return members;
}

/** The names of types anywhere in a piece of syntax. */
function typesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(typesIn);
  if (typeof node !== 'object' || node === null) return [];
  const { type, name } = node as Partial<Node> & { name?: unknown };
  if (type === 'Identifier' && typeof name === 'string') return [name];
  return Object.entries(node).flatMap(([key, child]) => (key === 'loc' ? [] : typesIn(child)));
}

function textOf(comments: readonly Comment[] | null | undefined): Text {
  const lines = (comments?.at(-1)?.value ?? '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*+\s?/, '').trim());
  const [text = '', said] = lines
    .join(' ')
    .trim()
    .split(/\s*@default\s+/);
  if (said === undefined) return text === '' ? {} : { description: text };
  const value = literalOf(said);
  return value === undefined
    ? { description: `${text} Default: ${said}.` }
    : { description: text, default: value };
}

/** Defaults that are values; others, such as "the folder of the file", stay words. */
function literalOf(said: string): unknown {
  try {
    return JSON.parse(said.replaceAll("'", '"'));
  } catch {
    return undefined; // words
  }
}
