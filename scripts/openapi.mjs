/**
 * The control API as an OpenAPI 3.1 document, made from the same table of routes that the server and the client are
 * made from. Every schema that src/protocol exports becomes a component and is referred to by its name.
 */
import { toJsonSchemaDefs } from '@valibot/to-json-schema';

const refTo = (kind, name) => `#/components/${kind}/${name}`;

export function openApi(protocol, version) {
  const schemas = componentSchemas(protocol);
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'upkeep control API',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description: [
        'Spoken over the unix socket `$UPKEEP_HOME/daemon.sock`; who may open the socket may use the API.',
        'Every change is an operation: it is accepted, written down, then done by the daemon, even if the client dies.',
      ].join('\n'),
    },
    servers: [{ url: 'http://localhost', description: 'curl --unix-socket "$UPKEEP_HOME/daemon.sock" …' }],
    security: [],
    paths: {},
    components: {
      schemas,
      headers: responseHeaders(protocol),
      parameters: requestHeaders(protocol),
      responses: { Error: errorResponse(protocol) },
    },
  };
  const nameOf = new Map(schemaExports(protocol).map(([name, schema]) => [schema, name]));
  for (const [id, route] of Object.entries(protocol.ROUTES)) {
    document.paths[route.path] ??= {};
    document.paths[route.path][route.method.toLowerCase()] = operation(id, route, {
      schemaOf: (schema) => inline(schema, nameOf, protocol),
      parameters: Object.keys(document.components.parameters),
      headers: Object.keys(document.components.headers),
    });
  }
  return document;
}

function operation(id, route, { schemaOf, parameters, headers }) {
  return {
    operationId: id,
    summary: route.summary,
    parameters: [
      ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.entries(route.query ?? {}).map(([name, description]) => ({
        name,
        in: 'query',
        description,
        schema: { type: 'string' },
      })),
      ...parameters.map((name) => ({ $ref: refTo('parameters', name) })),
    ],
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body) } } },
    }),
    responses: {
      200: {
        description: route.isStream
          ? 'Server-sent events; the `data` of each is one JSON value of the schema'
          : route.summary,
        headers: Object.fromEntries(headers.map((name) => [name, { $ref: refTo('headers', name) }])),
        content: content(route, schemaOf),
      },
      default: { $ref: refTo('responses', 'Error') },
    },
  };
}

function content(route, schemaOf) {
  const schema = schemaOf(route.answer);
  if (!route.isStream) return { 'application/json': { schema } };
  return {
    'text/event-stream': {
      schema: { type: 'string', contentMediaType: 'application/json', contentSchema: schema },
    },
  };
}

function errorResponse({ ERRORS }) {
  const rows = Object.entries(ERRORS).map(([code, { status, exit }]) => `| ${code} | ${status} | ${exit} |`);
  return {
    description: ['| code | status | exit code of the CLI |', '| --- | --- | --- |', ...rows].join('\n'),
    content: { 'application/json': { schema: { $ref: refTo('schemas', 'ErrorBody') } } },
  };
}

function requestHeaders({ PROTOCOL, PROTOCOL_HEADER, VERSION_HEADER, CLIENT_PID_HEADER }) {
  return {
    [PROTOCOL_HEADER]: {
      name: PROTOCOL_HEADER,
      in: 'header',
      description: 'The protocol that the client speaks; another one is refused with "protocol-mismatch"',
      schema: { type: 'integer', const: PROTOCOL },
    },
    [VERSION_HEADER]: {
      name: VERSION_HEADER,
      in: 'header',
      description: 'The version of the client, for messages',
      schema: { type: 'string' },
    },
    [CLIENT_PID_HEADER]: {
      name: CLIENT_PID_HEADER,
      in: 'header',
      description: 'The pid of the client, so that an operation can say who asked for it',
      schema: { type: 'integer' },
    },
  };
}

function responseHeaders({ PROTOCOL, PROTOCOL_HEADER, VERSION_HEADER }) {
  return {
    [PROTOCOL_HEADER]: {
      description: 'The protocol of the daemon',
      schema: { type: 'integer', const: PROTOCOL },
    },
    [VERSION_HEADER]: { description: 'The version of the daemon', schema: { type: 'string' } },
  };
}

function componentSchemas(protocol) {
  return convert(Object.fromEntries(schemaExports(protocol)));
}

/** A schema without a name of its own (`v.array(ServiceView)`), with references to those that have one. */
function inline(schema, nameOf, protocol) {
  const name = nameOf.get(schema);
  if (name) return { $ref: refTo('schemas', name) };
  return convert({ ...Object.fromEntries(schemaExports(protocol)), '': schema })[''];
}

function convert(definitions) {
  return toJsonSchemaDefs(definitions, {
    target: 'draft-2020-12',
    // What only code can check, and what is the same for a reader of JSON.
    ignoreActions: ['check'],
    overrideRef: ({ referenceId }) => refTo('schemas', referenceId),
  });
}

function schemaExports(protocol) {
  return Object.entries(protocol).filter(([, value]) => value?.kind === 'schema');
}
