/**
 * The JSON Schema for editors: the shape comes from the schema that checks configurations, the texts from the
 * comments in define.ts. Only the build imports this file.
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
  [key: string]: unknown;
}

/** What only a script can write. */
const NEVER = { not: {} };

/** `definitions`: the text of define.ts. */
export function configJsonSchema(definitions: string): JsonSchema {
  const schema = toJsonSchema(Config, {
    typeMode: 'input',
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'instance' ? NEVER : undefined),
  }) as JsonSchema;
  const interfaces = readInterfaces(definitions);
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
  const members = Object.assign({}, ...types.map((name) => membersOf(name, interfaces))) as Record<
    string,
    Member
  >;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const member = members[key];
    if (!member) continue;
    Object.assign(property, member.text);
    describe(property, member.types, interfaces);
  }
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])];
  for (const each of inner) if (typeof each === 'object') describe(each, types, interfaces);
}

function membersOf(name: string, interfaces: Interfaces): Record<string, Member> {
  const found = interfaces.get(name);
  const inherited = found?.parents.map((parent) => membersOf(parent, interfaces)) ?? [];
  return Object.assign({}, ...inherited, found?.members) as Record<string, Member>;
}

function readInterfaces(definitions: string): Interfaces {
  const { program } = parse(definitions, { sourceType: 'module', plugins: ['typescript'] });
  const interfaces = new Map<string, Interface>();
  for (const statement of program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : undefined;
    if (declared?.type !== 'TSInterfaceDeclaration') continue;
    interfaces.set(declared.id.name, {
      text: textOf(statement.leadingComments),
      members: readMembers(declared),
      parents: (declared.extends ?? []).flatMap(typesIn),
    });
  }
  return interfaces;
}

function readMembers({ body }: TSInterfaceDeclaration): Record<string, Member> {
  const members: Record<string, Member> = {};
  for (const member of body.body) {
    if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') continue;
    members[member.key.name] = {
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
