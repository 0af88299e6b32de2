import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KindBook, isMuted, perMinute } from './kind-book.js';
import type { Change, Seen } from './change.js';

const NOW = 1_700_000_000_000;

function kind(id: string, firstAt = NOW): Change {
  const full = { id, firstAt, title: `title of ${id}`, type: null, at: null, report: null };
  return { kinds: [full], seen: [seen(id, firstAt)] };
}

function seen(id: string, at: number, count = 1, attempt = 1): Seen {
  return { id, instance: 0, attempt, at, count };
}

test('what is seen is counted in all, since each mark, and for each attempt', () => {
  const book = new KindBook();
  book.apply({ mark: { id: 1, at: NOW, kind: 'operation', text: 'up' } });
  book.apply(kind('a', NOW + 1));
  book.apply({ mark: { id: 2, at: NOW + 100, kind: 'manual', text: '' } });
  // Written before the mark, but read after it.
  book.apply({ seen: [seen('a', NOW + 99, 2), seen('a', NOW + 100, 5, 2)] });
  const { count, marks, attempts, firstAt, lastAt } = book.find('a')!;
  assert.deepEqual([count, firstAt, lastAt], [8, NOW + 1, NOW + 100]);
  assert.deepEqual(marks, [
    [1, 3],
    [2, 5],
  ]);
  assert.deepEqual(attempts, [
    [0, 1, 3],
    [0, 2, 5],
  ]);
});

test('of too many kinds the one that was seen longest ago makes room, and does not come back as new', () => {
  const book = new KindBook(undefined, 3);
  for (const [index, id] of ['a', 'b', 'c'].entries()) book.apply(kind(id, NOW + index));
  book.apply({ seen: [seen('a', NOW + 10)] });
  book.apply(kind('d', NOW + 20));
  assert.deepEqual(
    book.kinds.map(({ id }) => id),
    ['a', 'c', 'd'],
  );
  assert.deepEqual([book.takeEvicted(), book.takeEvicted(), book.forgottenCount], [['b'], [], 1]);
  assert.ok(!book.isUnheardOf('b') && book.isUnheardOf('e'));
  book.apply(kind('b', NOW + 30));
  assert.deepEqual([book.find('b')!.firstAt, book.find('b')!.count], [NOW + 1, 2]);
});

test('a kind that is muted does not make room, because it would come back without its mute', () => {
  const book = new KindBook(undefined, 2);
  book.apply(kind('a', NOW));
  book.apply({ mute: { id: 'a', mute: { reason: 'known', owner: 'root', at: NOW, until: null } } });
  book.apply(kind('b', NOW + 1));
  book.apply(kind('c', NOW + 2));
  assert.deepEqual(
    book.kinds.map(({ id }) => id),
    ['a', 'c'],
  );
});

test('a mute that has expired is none', () => {
  const book = new KindBook();
  book.apply(kind('a'));
  const mute = (until: number | null) => ({ reason: 'known', owner: 'root', at: NOW, until });
  book.apply({ mute: { id: 'a', mute: mute(NOW + 10) } });
  assert.deepEqual([isMuted(book.find('a')!, NOW + 9), isMuted(book.find('a')!, NOW + 10)], [true, false]);
  book.apply({ mute: { id: 'a', mute: mute(null) } });
  assert.equal(isMuted(book.find('a')!, NOW * 2), true);
  book.apply({ mute: { id: 'a', mute: null } });
  assert.equal(isMuted(book.find('a')!, NOW), false);
});

test('the rate is that of the last ten minutes, or of as many as there were', () => {
  const minute = 60_000;
  const book = new KindBook();
  book.apply(kind('a', NOW));
  book.apply({ seen: [seen('a', NOW + minute, 5)] });
  assert.equal(perMinute(book.find('a')!, NOW + 2 * minute), 3);
  assert.equal(perMinute(book.find('a')!, NOW + 30 * minute), 0);
  for (let at = 0; at < 40; at++) book.apply({ seen: [seen('a', NOW + at * minute, 7)] });
  assert.equal(perMinute(book.find('a')!, NOW + 39 * minute), 7);
  assert.ok(book.find('a')!.minutes.length <= 11, 'and no more of them are kept');
});

test('what was saved is what is loaded', () => {
  const book = new KindBook(undefined, 2);
  book.apply({ mark: { id: 1, at: NOW, kind: 'operation', text: 'up' } });
  for (const [index, id] of ['a', 'b', 'c'].entries()) book.apply(kind(id, NOW + index));
  const saved = JSON.parse(JSON.stringify(book.save())) as ReturnType<KindBook['save']>;
  const loaded = new KindBook({ format: 1, seq: 9, streams: {}, finder: null, ...saved });
  assert.deepEqual(loaded.save(), book.save());
  assert.equal(loaded.isUnheardOf('a'), false);
});
