/** A client that believes nothing: every answer, good or bad, has to be what dist/openapi.json promises. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Client, type RequestOptions } from '../../src/client/index.js';
import {
  ENDPOINTS,
  ERRORS,
  UpkeepError,
  type CallName,
  type RouteAnswer,
  type RouteName,
  type StreamName,
} from '../../src/protocol/index.js';

interface OpenApi {
  readonly paths: Record<
    string,
    Record<
      string,
      { responses: { 200: { content: Record<string, { schema: { contentSchema?: object } }> } } }
    >
  >;
}

export class ConformingClient extends Client {
  override async call<N extends CallName>(name: N, options: RequestOptions<N> = {}): Promise<RouteAnswer<N>> {
    const answer = await super.call(name, options).catch(assertCatalogued);
    assertConforms(name, answer);
    return answer;
  }

  override async *stream<N extends StreamName>(
    name: N,
    options: RequestOptions<N> = {},
  ): AsyncGenerator<RouteAnswer<N>> {
    try {
      for await (const answer of super.stream(name, options)) {
        assertConforms(name, answer);
        yield answer;
      }
    } catch (error) {
      assertCatalogued(error);
    }
  }
}

const validators = new Map<RouteName, ValidateFunction>();
let ajv: Ajv2020 | undefined;
let openApi: OpenApi | undefined;

export function assertConforms(name: RouteName, answer: unknown): void {
  const validate = validators.get(name) ?? compile(name);
  validators.set(name, validate);
  if (validate(answer)) return;
  const [error] = validate.errors!;
  assert.fail(`${name}: ${error!.instancePath} ${error!.message}\n${JSON.stringify(answer, null, 2)}`);
}

function compile(name: RouteName): ValidateFunction {
  openApi ??= JSON.parse(readFileSync('dist/openapi.json', 'utf8')) as OpenApi;
  ajv ??= new Ajv2020({ strict: false, validateFormats: false }).addSchema(openApi, 'openapi');
  const { method, path, ...endpoint } = ENDPOINTS[name];
  const type = 'isStream' in endpoint ? 'text/event-stream' : 'application/json';
  const place = ['paths', path, method.toLowerCase(), 'responses', '200', 'content', type, 'schema'];
  if ('isStream' in endpoint) place.push('contentSchema');
  return ajv.compile({ $ref: `openapi#/${place.map(escape).join('/')}` });
}

/** A JSON pointer inside of a URI. */
function escape(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function assertCatalogued(error: unknown): never {
  if (error instanceof UpkeepError) {
    assert.ok(error.code in ERRORS, `"${error.code}" is not in the catalogue`);
    assert.notEqual(error.code, 'internal', error.message);
  }
  throw error;
}
