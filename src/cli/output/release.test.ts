import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseStage, ReleaseView } from '../../protocol/index.js';
import { wordWhatServes } from './release.js';

function view(
  status: ReleaseView['status'],
  previous: string | null,
  stages: readonly ReleaseStage[],
): ReleaseView {
  const begun = stages.map((stage) => ({ stage, startedAt: '', finishedAt: null, text: null }));
  return { status, previous, stages: begun } as unknown as ReleaseView;
}

test('what served before is only spoken of where something did', () => {
  assert.equal(wordWhatServes(view('failed', '1', ['resolve', 'boot'])), 'what served before serves on');
  assert.equal(wordWhatServes(view('failed', null, ['resolve'])), 'nothing has changed');
  assert.equal(
    wordWhatServes(view('failed', null, ['resolve', 'boot'])),
    'its instances have ended, and no release was before it',
  );
});

test('a release that was committed serves again or on', () => {
  assert.equal(wordWhatServes(view('rolled-back', '1', ['bake'])), 'what served before serves again');
  assert.equal(wordWhatServes(view('failed', null, ['bake'])), 'it could not be taken back, and serves');
});
