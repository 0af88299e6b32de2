/** Parts of docs/api.md: from the OpenAPI document and the comments in src/protocol/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@babel/parser';
import * as protocol from '../../src/protocol/index.ts';
import { openApi } from '../openapi.mjs';
import { filesUnder, ROOT } from '../setup.mjs';
import { code, createBook, either, table, textOf } from './markdown.mjs';

export function apiParts() {
  const { paths, components } = openApi(protocol, '');
  const { schemas } = components;
  const comments = readComments();
  const book = createBook('schema', Object.keys(schemas));
  return {
    parts: {
      routes: () =>
        table(
          ['Route', 'Answer', 'What it is'],
          Object.entries(paths).flatMap(([path, methods]) =>
            Object.entries(methods).map(([method, operation]) => routeRow(method, path, operation)),
          ),
        ),
      parameters: () =>
        table(
          ['Route', 'Query parameter', 'Meaning'],
          Object.entries(protocol.ROUTES).flatMap(([, { method, path, query = {} }]) =>
            Object.entries(query).map(([key, meaning]) => [code(`${method} ${path}`), code(key), meaning]),
          ),
        ),
      errors: () =>
        table(
          ['Code', 'HTTP status', 'Exit code of the CLI'],
          Object.entries(protocol.ERRORS).map(([name, { status, exit }]) => [code(name), status, exit]),
        ),
      /** Names of schemas; each gets a heading. */
      schemas: (words) =>
        words
          .split(' ')
          .map((name) => {
            book.place(name);
            return [`### ${name}`, describeSchema(schemas[name], comments.get(name) ?? {})].join('\n\n');
          })
          .join('\n\n'),
    },
    finish: book.finish,
  };
}

function routeRow(method, path, { summary, requestBody, responses }) {
  const { content } = responses[200];
  const [[media, { schema }]] = Object.entries(content);
  const isStream = media === 'text/event-stream';
  const answer = wordSchema(isStream ? schema.contentSchema : schema);
  const body = requestBody && `; body: ${wordSchema(requestBody.content['application/json'].schema)}`;
  return [
    code(`${method.toUpperCase()} ${path}`),
    isStream ? `stream of ${answer}` : answer,
    summary + (body ?? ''),
  ];
}

/** One table for a map; for a union of maps, which one key tells apart, one row for each of them. */
function describeSchema(schema, comments) {
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants?.every((variant) => variant.properties)) return describeUnion(variants);
  if (!schema.properties) return `${wordSchema(schema)}.`;
  const { required = [] } = schema;
  return table(
    ['Field', 'Type', ''],
    Object.entries(schema.properties).map(([key, value]) => [
      code(key) + (required.includes(key) ? '' : ', optional'),
      wordSchema(value),
      comments[key] ?? '',
    ]),
  );
}

function describeUnion(variants) {
  const keys = Object.keys(variants[0].properties);
  const tag = keys.find((key) => variants.every(({ properties }) => properties[key]?.const !== undefined));
  if (tag === undefined) return `${either(variants.map(wordSchema))}.`;
  const shared = keys.filter(
    (key) =>
      key !== tag &&
      variants.every(
        ({ properties }) => JSON.stringify(properties[key]) === JSON.stringify(variants[0].properties[key]),
      ),
  );
  const rows = variants.map(({ properties, required = [] }) => [
    code(properties[tag].const),
    Object.entries(properties)
      .filter(([key]) => key !== tag && !shared.includes(key))
      .map(
        ([key, value]) => `${code(key)}${required.includes(key) ? '' : ' (optional)'}: ${wordSchema(value)}`,
      )
      .join('; '),
  ]);
  const intro = shared.map((key) => `${code(key)}: ${wordSchema(variants[0].properties[key])}`).join('; ');
  return [...(intro ? [`All of them: ${intro}.`] : []), table([code(tag), 'Other fields'], rows)].join(
    '\n\n',
  );
}

function wordSchema(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return either(schema.enum.map((value) => code(value)));
  if (schema.anyOf ?? schema.oneOf) return either((schema.anyOf ?? schema.oneOf).map(wordSchema));
  if (Array.isArray(schema.type)) return either(schema.type.map((type) => wordSchema({ ...schema, type })));
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time' ? 'time (ISO 8601)' : 'text';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return '`null`';
    case 'array':
      return `list of ${wordSchema(schema.items)}`;
    case 'object':
      return wordObject(schema);
    default:
      return 'any value';
  }
}

function wordObject({ properties, additionalProperties, required = [] }) {
  if (!properties) return `map of text to ${wordSchema(additionalProperties ?? {})}`;
  const parts = Object.entries(properties).map(
    ([key, value]) => `${code(key)}${required.includes(key) ? '' : ' (optional)'}: ${wordSchema(value)}`,
  );
  return `{ ${parts.join(', ')} }`;
}

/** Name of a schema -> key -> what the comment above it says. */
function readComments() {
  const files = filesUnder('src/protocol').filter((file) => file.endsWith('.ts'));
  return new Map(files.flatMap((file) => readFileComments(readFileSync(join(ROOT, file), 'utf8'))));
}

function readFileComments(text) {
  const { program } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  const shared = new Map(
    program.body.flatMap(({ declarations = [] }) => declarations.map(({ id, init }) => [id.name, init])),
  );
  return program.body.flatMap(({ declaration }) => {
    if (declaration?.type !== 'VariableDeclaration') return [];
    return declaration.declarations.flatMap(({ id, init }) => {
      const shape = init?.arguments?.find(({ type }) => type === 'ObjectExpression');
      if (!shape) return [];
      const members = membersOf(shape, shared).filter(({ key, leadingComments }) => key && leadingComments);
      const entries = members.map(({ key, leadingComments }) => [
        key.name,
        textOf(leadingComments).description,
      ]);
      return [[id.name, Object.fromEntries(entries)]];
    });
  });
}

/** Those of a spread constant of the same file, too. */
function membersOf(shape, shared) {
  return (shape?.properties ?? []).flatMap((member) =>
    member.type === 'SpreadElement' ? membersOf(shared.get(member.argument.name), shared) : [member],
  );
}
