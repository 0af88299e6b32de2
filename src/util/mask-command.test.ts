import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskCommand } from './mask-command.js';

test('what looks secret in a command line is masked', () => {
  const lines = [
    ['node app.js --db-password hunter2 --port 3000', 'node app.js --db-password *** --port 3000'],
    ['API_KEY=hunter2 node app.js', 'API_KEY=*** node app.js'],
    ['psql postgres://me:hunter2@db/shop', 'psql postgres://me:***@db/shop'],
    ['sh -c "TOKEN=hunter2 npm start"', 'sh -c "TOKEN=*** npm start"'],
  ] as const;
  for (const [line, shown] of lines) assert.equal(maskCommand(line), shown);
});

test('a command line is shown in one line of bounded length', () => {
  assert.equal(maskCommand('sh -c "a\nb"'), 'sh -c "a b"');
  assert.equal(maskCommand('x'.repeat(200)).length, 160);
});
