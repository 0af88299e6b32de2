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
import { OPEN_API } from './paths.js';

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

const validators = new Map<string, ValidateFunction>();
let ajv: Ajv2020 | undefined;

export function assertConforms(name: RouteName, answer: unknown): void {
  const { method, path, ...endpoint } = ENDPOINTS[name];
  const isStream = 'isStream' in endpoint;
  const content = isStream
    ? ['text/event-stream', 'schema', 'contentSchema']
    : ['application/json', 'schema'];
  assertFits(['paths', path, method.toLowerCase(), 'responses', '200', 'content', ...content], answer);
}

/** Of an answer that is not 2xx. */
export function assertRefusalConforms(answer: unknown): void {
  assertFits(['components', 'responses', 'Error', 'content', 'application/json', 'schema'], answer);
}

/** `place`: where in the document the schema stands. */
function assertFits(place: readonly string[], value: unknown): void {
  const reference = `openapi#/${place.map(escape).join('/')}`;
  const validate = validators.get(reference) ?? compile(reference);
  validators.set(reference, validate);
  if (validate(value)) return;
  const [error] = validate.errors!;
  assert.fail(`${place[1]}: ${error!.instancePath} ${error!.message}\n${JSON.stringify(value, null, 2)}`);
}

function compile(reference: string): ValidateFunction {
  ajv ??= new Ajv2020({ strict: false, validateFormats: false }).addSchema(
    JSON.parse(readFileSync(OPEN_API, 'utf8')) as object,
    'openapi',
  );
  return ajv.compile({ $ref: reference });
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
