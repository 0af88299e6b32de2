import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ALIASES, COMMANDS, type CommandName } from './commands.js';
import { parseSignal } from './commands/signal.js';
import { COMPLETION_SCRIPTS } from './output/completion.js';
import { formatCommandHelp } from './output/help.js';
import { parseSelection } from './selection.js';

const NAMES = Object.keys(COMMANDS) as CommandName[];

test('every command is declared as users type it, and says what it does without a final period', async () => {
  for (const name of NAMES) {
    const { command } = await COMMANDS[name]();
    assert.ok(command.usage === name || command.usage.startsWith(`${name} `), `usage of ${name}`);
    assert.match(command.summary, /^[A-Z].*[^.]$/, `summary of ${name}`);
    const shorts = Object.values(command.options).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(shorts).size, shorts.length, `short options of ${name} are unique`);
    assert.ok(!shorts.includes('h'), `-h of ${name} asks for help`);
    const help = `${formatCommandHelp(command, [])}\n`;
    for (const line of command.usage.split('\n')) assert.ok(help.includes(`\n  upkeep ${line}\n`), line);
    for (const line of command.examples ?? []) assert.match(line, /\bupkeep /, `example of ${name}`);
  }
});

test('an alias never hides a command', () => {
  assert.deepEqual(
    Object.keys(ALIASES).filter((alias) => alias in COMMANDS),
    [],
  );
});

test('the completion of bash and zsh is a valid script that knows every command', async () => {
  const commands = await Promise.all(
    NAMES.map(async (name) => ({ name, ...(await COMMANDS[name]()).command })),
  );
  const script = COMPLETION_SCRIPTS.get('bash')!(commands);
  execFileSync('bash', ['-n'], { input: script });
  for (const name of NAMES) assert.ok(script.includes(`    ${name}) options=`), name);
  assert.equal(
    COMPLETION_SCRIPTS.get('fish')!(commands)
      .split('\n')
      .filter((line) => line.includes("''")).length,
    0,
  );
});

test('signals are named as people name them', () => {
  for (const text of ['TERM', 'term', 'SIGTERM', 'sigterm', '15']) assert.equal(parseSignal(text), 'SIGTERM');
  assert.throws(() => parseSignal('TREM'), { code: 'usage', message: /"TREM" is not a signal/ });
  assert.throws(() => parseSignal('0'), { code: 'usage' });
});

test('a selection is names, each once, or all of them', () => {
  assert.deepEqual(parseSelection('stop', ['api', 'web', 'api']), ['api', 'web']);
  assert.equal(parseSelection('stop', ['all']), 'all');
  assert.throws(() => parseSelection('stop', []), { message: /needs the name of a service/ });
  assert.throws(() => parseSelection('stop', ['api', 'all']), { message: /"all" stands alone/ });
});
