/**
 * Every file in test/fixtures/bad-configs is wrong in the way that its name says. What must be said about it
 * stands in the file, below the line in question: `#  ^ error: part of the message | part of the hint`, the
 * caret under the column (`#@1` for a column that a comment cannot reach). What is expected of files that bear
 * no comment, such as JSON, stands below. Nothing else may be said.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatDiagnostics, loadConfig, type Diagnostic } from './index.js';

const FOLDER = fileURLToPath(new URL('../../test/fixtures/bad-configs', import.meta.url));
const SECRETS = /hunter2|abc123/;

interface Expected {
  readonly line: number;
  readonly column: number;
  readonly severity: string;
  readonly message: string;
  readonly hint: string;
}

const error = (line: number, column: number, message: string, hint: string): Expected => ({
  severity: 'error',
  line,
  column,
  message,
  hint,
});

const UNCOMMENTED: Readonly<Record<string, readonly Expected[]>> = {
  'trailing-comma.json': [error(3, 50, '"," stands before a closing bracket', 'remove the comma')],
  'comment.json': [error(2, 3, 'JSON has no comments', 'upkeep.config.yaml')],
  'single-quotes.json': [error(2, 26, 'double quotes', 'write "..."')],
  'missing-comma.json': [error(5, 7, 'a comma or a bracket is missing', 'write ","')],
  'ends-too-early.json': [error(3, 36, 'ends too early', 'close every bracket')],
  'unquoted-key.json': [error(1, 17, '"api" stands without quotes', 'write "api"')],
  'wrong-value.json': [
    error(3, 49, '"2" is not a whole number', 'write instances: 2'),
    error(4, 50, '"wacth" is not a known key', 'did you mean "watch"?'),
  ],
  'secret-over-several-lines.yaml': [
    error(5, 27, 'a quote is not closed', 'close the quote'),
    error(6, 1, 'the indentation', 'the same indentation'),
  ],
  'unclosed-bracket.yaml': [error(2, 27, '"}" is missing', 'write "}"')],
  'duplicate-key.json': [error(4, 5, '"api" stands twice', 'keep one')],
};

describe('a bad configuration is explained at its place', () => {
  const files = readdirSync(FOLDER).filter((name) => /\.\w+$/.test(name));
  for (const name of files) {
    test(name.replace(/\.(\w+)$/, ' ($1)').replaceAll('-', ' '), async () => {
      const text = readFileSync(join(FOLDER, name), 'utf8');
      const profile = /^\W+profile: (\w+)$/m.exec(text)?.[1] ?? null;
      const result = await loadConfig(name, { profile, cwd: FOLDER });
      const said = result.ok ? result.warnings : result.diagnostics;
      const expected = UNCOMMENTED[name] ?? markersOf(text);
      assert.notEqual(expected.length, 0, 'the fixture says what is wrong');
      compare(said, expected, name);
      assert.doesNotMatch(formatDiagnostics(said), SECRETS);
    });
  }

  test('there are at least sixty of them', () => assert.ok(files.length >= 60));
});

/** A marker belongs to the last line before it that is no marker. */
function markersOf(text: string): Expected[] {
  const markers: Expected[] = [];
  let subject = 0;
  text.split('\n').forEach((line, index) => {
    const marker = /^\s*(?:#|\/\/)(?:\s*\^|@(\d+)) (error|warning): (.*) \| (.*)$/.exec(line);
    if (!marker) {
      subject = index + 1;
      return;
    }
    const [, column, severity = '', message = '', hint = ''] = marker;
    markers.push({ line: subject, column: Number(column ?? line.indexOf('^') + 1), severity, message, hint });
  });
  return markers;
}

function compare(said: readonly Diagnostic[], expected: readonly Expected[], file: string): void {
  const output = `said was:\n${formatDiagnostics(said)}\n`;
  for (const { line, column, severity, message, hint } of expected) {
    const match = said.find(
      (each) => each.line === line && each.column === column && each.message.includes(message),
    );
    assert.ok(match, `expected at ${file}:${line}:${column} "${message}"; ${output}`);
    assert.equal(match.severity, severity, output);
    assert.equal(match.file, file, output);
    assert.ok(match.hint.includes(hint), `expected the hint "${hint}"; ${output}`);
  }
  assert.equal(said.length, expected.length, `nothing else is said; ${output}`);
}
