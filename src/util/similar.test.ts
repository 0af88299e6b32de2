import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostSimilar } from './similar.js';

const COMMANDS = ['start', 'stop', 'restart', 'status', 'logs'];

test('a typo finds the word that was meant', () => {
  const typos = { strat: 'start', stpo: 'stop', restrt: 'restart', stauts: 'status', log: 'logs' };
  for (const [typo, meant] of Object.entries(typos)) assert.equal(mostSimilar(typo, COMMANDS), meant);
});

test('case does not matter', () => {
  assert.equal(mostSimilar('STATUS', COMMANDS), 'status');
});

test('a word that is nothing like the candidates finds none', () => {
  assert.equal(mostSimilar('deploy', COMMANDS), undefined);
  assert.equal(mostSimilar('ls', COMMANDS), undefined);
  assert.equal(mostSimilar('start', []), undefined);
});

test('the first of equally near candidates wins', () => {
  assert.equal(mostSimilar('api', ['api1', 'api2']), 'api1');
});
