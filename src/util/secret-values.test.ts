import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretValues } from './secret-values.js';

test('a value is hidden as it is, and as URLs, Base64 and JSON write it', () => {
  const values = new SecretValues(['p@ss/"word']);
  const base64 = Buffer.from('p@ss/"word').toString('base64');
  assert.equal(
    values.hide(`a p@ss/"word b p%40ss%2F%22word c ${base64} d p@ss/\\"word`),
    'a *** b *** c *** d ***',
  );
});

test('of a URL its password is hidden wherever it stands', () => {
  const values = new SecretValues(['postgres://app:hunter%212@db/shop']);
  assert.equal(values.hide('cannot reach postgres://app:hunter%212@db/shop'), 'cannot reach ***');
  assert.equal(values.hide('no entry for app with hunter!2'), 'no entry for app with ***');
});

test('the longest first, and a line of a key of several lines', () => {
  const values = new SecretValues(['abcdef', 'abcdef-ghijkl', 'BEGIN\n0123456789abcdef0123\nEND']);
  assert.equal(values.hide('abcdef-ghijkl 0123456789abcdef0123'), '*** ***');
});

test('what was cut within a value does not tell its beginning', () => {
  const values = new SecretValues(['correct-horse-battery', 'postgres://app:correct-staple@db/shop']);
  assert.equal(values.hide('it was correct-horse-b'), 'it was ***');
  assert.equal(values.hide('it was correct'), 'it was correct');
  assert.equal(values.hide('it speaks postgres'), 'it speaks postgres');
});

test('what is short is a word like any other', () => {
  assert.equal(new SecretValues(['true', '']).hide('true words'), 'true words');
});

test('it is hidden in the Base64 of a longer text, wherever it stands in that, and where lines are broken within it', () => {
  const secret = 'correct-horse-battery-staple';
  const values = new SecretValues([secret]);
  for (const before of ['', 'a', 'ab', 'abc', 'PASSWORD=', 'postgres://app:']) {
    const base64 = Buffer.from(`${before}${secret}@db/shop\n`).toString('base64');
    for (const text of [base64, base64.replaceAll('+', '-').replaceAll('/', '_')]) {
      for (const lines of [[text], [text.slice(0, 24), text.slice(24)]])
        for (const line of lines.map((each) => values.hide(each)))
          for (const shift of ['', 'A', 'AA', 'AAA'])
            assert.doesNotMatch(Buffer.from(`${shift}${line}`, 'base64').toString(), /horse|battery/, line);
    }
  }
  assert.equal(values.hide(`hex ${Buffer.from(secret).toString('hex')}.`), 'hex ***.');
});

test('what was cut within a value does not tell its end', () => {
  const values = new SecretValues(['correct-horse-battery']);
  assert.equal(values.hide('se-battery is what it was'), '*** is what it was');
  assert.equal(values.hide('battery is empty'), 'battery is empty');
});
