import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ErrorFiles } from './error-files.js';

const STATE = { streams: {}, kinds: [], marks: [], forgotten: [], forgottenCount: 0, finder: null };
const mark = (id: number) => ({ mark: { id, at: id, kind: 'manual' as const, text: '' } });
let folder = '';

beforeEach(() => (folder = join(mkdtempSync(join(tmpdir(), 'upkeep-errors-')), 'api')));
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

function marksOf(files: ErrorFiles): (number | undefined)[] {
  return files.load().changes.map((change) => change.mark?.id);
}

test('changes are read again in their order, and are for nobody else to read', () => {
  const files = new ErrorFiles(folder);
  assert.ok(files.isNew);
  for (const id of [1, 2, 3]) files.append(mark(id));
  assert.deepEqual(marksOf(new ErrorFiles(folder)), [1, 2, 3]);
  assert.equal(files.isNew, false);
  assert.deepEqual(
    [statSync(folder).mode & 0o777, statSync(join(folder, 'kinds.jsonl')).mode & 0o777],
    [0o700, 0o600],
  );
});

test('a line that was cut off never happened, and the next one is whole', () => {
  new ErrorFiles(folder).append(mark(1));
  appendFileSync(join(folder, 'kinds.jsonl'), '{"seq":2,"mark":{"id":2,');
  const files = new ErrorFiles(folder);
  assert.deepEqual(marksOf(files), [1]);
  files.append(mark(3));
  assert.deepEqual(marksOf(new ErrorFiles(folder)), [1, 3]);
});

test('a snapshot takes the place of the changes before it', async () => {
  const files = new ErrorFiles(folder);
  for (const id of [1, 2]) files.append(mark(id));
  const saved = files.save(STATE);
  files.append(mark(3)); // while it is being written
  await saved;
  files.append(mark(4));
  const { snapshot, changes } = new ErrorFiles(folder).load();
  assert.deepEqual([snapshot?.seq, changes.map((change) => change.mark?.id)], [2, [3, 4]]);
  assert.deepEqual(readdirSync(folder).sort(), ['kinds.json', 'kinds.jsonl']);
});

test('wherever the writing of a snapshot is cut off, no change is lost and none happens twice', async () => {
  const files = new ErrorFiles(folder);
  files.append(mark(1));
  await files.save(STATE);
  files.append(mark(2));
  const journal = join(folder, 'kinds.jsonl');
  const [snapshot, lines] = [readFileSync(join(folder, 'kinds.json')), readFileSync(journal)];
  await files.save(STATE);
  const fresh = readFileSync(join(folder, 'kinds.json'));
  const lay = (contents: Record<string, Buffer>): void => {
    rmSync(folder, { recursive: true });
    new ErrorFiles(folder).append(mark(0)); // makes the folder
    rmSync(journal);
    for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
  };
  const before = { 'kinds.json': snapshot, 'kinds.jsonl.1': lines };
  for (const moment of [before, { ...before, 'kinds.json.new': fresh.subarray(0, 20) }]) {
    lay(moment);
    const next = new ErrorFiles(folder);
    assert.deepEqual(marksOf(next), [2]);
    next.append(mark(3));
    await next.save(STATE);
    assert.deepEqual(marksOf(new ErrorFiles(folder)), []);
  }
  lay({ 'kinds.json': fresh, 'kinds.jsonl.1': lines });
  assert.deepEqual(marksOf(new ErrorFiles(folder)), []);
});

test('what cannot be read is put aside and said, and counting begins anew', () => {
  new ErrorFiles(folder).append(mark(1));
  writeFileSync(join(folder, 'kinds.json'), '{"format":99}\n');
  const files = new ErrorFiles(folder);
  const { snapshot, changes, note } = files.load();
  assert.deepEqual([snapshot, changes], [undefined, []]);
  assert.match(note!, /kinds\.json\.unreadable$/);
  assert.equal(readFileSync(join(folder, 'kinds.json.unreadable'), 'utf8'), '{"format":99}\n');
});

test('a sample is kept until it is removed', () => {
  const files = new ErrorFiles(folder);
  const sample = {
    at: '2026-11-29T10:00:00.000Z',
    instance: 0,
    attempt: 1,
    stream: 'err' as const,
    before: ['a'],
    lines: ['Error: b'],
    omitted: 0,
  };
  files.writeSample('v1:0a', sample);
  assert.deepEqual(new ErrorFiles(folder).readSample('v1:0a'), sample);
  files.removeSample('v1:0a');
  assert.equal(files.readSample('v1:0a'), undefined);
});
