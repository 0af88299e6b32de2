import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isColorful } from './color.js';

test('colours appear on a terminal, unless somebody asked for the contrary', () => {
  assert.equal(isColorful({ isTTY: true }, {}), true);
  assert.equal(isColorful({}, {}), false);
  assert.equal(isColorful({}, { CI: 'true' }), false);
  assert.equal(isColorful({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(isColorful({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(isColorful({}, { FORCE_COLOR: '1' }), true);
  assert.equal(isColorful({ isTTY: true }, { FORCE_COLOR: '0' }), false);
});
