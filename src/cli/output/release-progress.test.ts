import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { WriteStream } from 'node:tty';
import type { ReleaseView } from '../../protocol/index.js';
import { createReleaseProgress } from './release-progress.js';

const LONG_MS = 10_000;

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

/** What is shown last of a release that tells this of its download. */
function shown(progress: string, { isTTY, columns = 80 }: { isTTY: boolean; columns?: number }): string {
  let last = '';
  const stream = { isTTY, columns, write: (text: string) => (last = text) };
  const live = createReleaseProgress(stream as unknown as WriteStream);
  live.show({
    stages: [],
    stage: 'fetch',
    status: 'running',
    failure: null,
    progress,
  } as unknown as ReleaseView);
  mock.timers.tick(LONG_MS);
  const seen = last;
  live.end();
  return seen;
}

/** Without what moves, and what erases the line before. */
function drawn(progress: string, columns?: number): string {
  const written = shown(progress, { isTTY: true, ...(columns === undefined ? {} : { columns }) });
  return written.replace(/^.*[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] /su, '');
}

test('a download has a bar in a terminal', () => {
  assert.equal(drawn('fetching 0 of 48 MB'), 'fetch      fetching ░░░░░░░░░░░░ 0 of 48 MB');
  assert.equal(drawn('fetching 12 of 48 MB'), 'fetch      fetching ███░░░░░░░░░ 12 of 48 MB');
  assert.equal(drawn('fetching 48 of 48 MB'), 'fetch      fetching ████████████ 48 of 48 MB');
  assert.equal(drawn('fetching 50 % of the objects'), 'fetch      fetching ██████░░░░░░ 50 % of the objects');
  assert.equal(drawn('fetching 12 of 48 MB', 28), 'fetch      fetching ███░░…');
});

test('what has no end that is known has none, and nothing has where nothing moves', () => {
  for (const text of [
    'fetching 12.0 MB',
    'fetching 0 of 0 B',
    'looking for job "2 of 3 MB" in all pipelines',
  ])
    assert.equal(drawn(text), `fetch      ${text}`);
  assert.equal(shown('fetching 12 of 48 MB', { isTTY: false }), '… fetch      fetching 12 of 48 MB\n');
});
