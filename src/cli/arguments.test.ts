import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments, parseCount } from './arguments.js';
import type { Options } from './command.js';

const OPTIONS = {
  instances: { type: 'string', short: 'i', description: '' },
  env: { type: 'string', short: 'e', multiple: true, description: '' },
  follow: { type: 'boolean', short: 'f', description: '' },
} as const satisfies Options;

const parse = (...args: string[]) => parseArguments('start', args, OPTIONS);

test('options and operands may be mixed, options be repeated and grouped', () => {
  assert.deepEqual(parse('api', '-fi', '4', 'web', '-e', 'A=1', '--env=B=--x'), {
    values: { follow: true, instances: '4', env: ['A=1', 'B=--x'] },
    operands: ['api', 'web'],
    rest: undefined,
  });
});

test('what follows the terminator is left alone', () => {
  const { operands, rest, values } = parse('app.js', '--', '--port', '-f', '--', 'x');
  assert.deepEqual(
    { operands, rest, values },
    { operands: ['app.js'], rest: ['--port', '-f', '--', 'x'], values: {} },
  );
  assert.deepEqual(parse('app.js', '--').rest, []);
});

test('an unknown option is answered with the one that was meant', () => {
  assert.throws(() => parse('--instnaces', '4'), {
    code: 'usage',
    message: 'Cannot read the options of "upkeep start": "--instnaces" is unknown',
    hint: 'did you mean "--instances"?',
  });
  assert.throws(() => parse('-z'), { message: /"-z" is unknown/, hint: 'upkeep start --help' });
  assert.throws(() => parse('--constructor'), { message: /"--constructor" is unknown/ });
});

test('a value must be there where one is needed, and only there', () => {
  assert.throws(() => parse('--instances'), { message: /"--instances" needs a value/ });
  assert.throws(() => parse('--follow=yes'), { message: /"--follow" takes no value/ });
});

test('a count is a whole number that is not negative', () => {
  assert.equal(parseCount('scale', '--n', '12'), 12);
  for (const text of ['', '-1', '1.5', '1e3', 'many']) {
    assert.throws(() => parseCount('scale', '--n', text), {
      code: 'usage',
      message: /--n needs a whole number/,
    });
  }
});
