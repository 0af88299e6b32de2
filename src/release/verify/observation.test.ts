import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SideLook } from '../../core/index.js';
import type { SideView } from '../../supervisor/index.js';
import { counts, view } from './made-up-switchover.js';
import { Observation } from './observation.js';

/** What the looks say of one side, one after the other. */
function watch(side: SideView['side'], ...looks: readonly (readonly Partial<SideView>[])[]): SideLook[] {
  const observation = new Observation();
  return looks.map((views, at) => {
    const seen = views.map((each) => view({ side, ...each }));
    return observation.look(seen, new Map(), 9000 + at * 1000).services['web']![side];
  });
}

test('what was counted before somebody looked is not compared', () => {
  const looks = watch('old', [{ counts: counts(5000, 70) }], [{ counts: counts(5040, 71) }]);
  assert.deepEqual(
    looks.map(({ requests, errors }) => [requests, errors]),
    [
      [0, 0],
      [40, 1],
    ],
  );
  assert.ok(looks[0]!.medianMs === null && looks[1]!.medianMs! > 1);
});

test('instances of a side are added up; an attempt that begins anew counts from nothing', () => {
  const looks = watch(
    'new',
    [{ counts: counts(10) }, { instance: 1, counts: counts(10) }],
    [{ counts: counts(30) }, { instance: 1, attempt: 3, counts: counts(4, 2), restarts: 1 }],
  );
  assert.deepEqual([looks[1]!.requests, looks[1]!.errors], [24, 2]);
  assert.deepEqual(
    looks[1]!.instances.map(({ name, restarts }) => [name, restarts]),
    [
      ['0', 0],
      ['1', 1],
    ],
  );
});

test('who does not answer once has lost nothing; who never counts is no zero', () => {
  const looks = watch('old', [{ counts: counts(10) }], [{ counts: null }], [{ counts: counts(50) }]);
  assert.deepEqual(
    looks.map(({ requests }) => requests),
    [0, null, 40],
  );
  const late = watch('old', [{ counts: null }], [{ counts: counts(9000) }], [{ counts: counts(9001) }]);
  assert.deepEqual(
    late.map(({ requests }) => requests),
    [null, 0, 1],
  );
});

test('one process of several that began anew makes no figures up', () => {
  const looks = watch(
    'old',
    [{ counts: counts(100, 5) }],
    [{ counts: counts(60, 1) }],
    [{ counts: counts(70, 1) }],
  );
  assert.deepEqual(
    looks.map(({ requests, errors }) => [requests, errors]),
    [
      [0, 0],
      [0, 0],
      [10, 0],
    ],
  );
});

test('a new instance that is not shown any more has ended', () => {
  const looks = watch('new', [{}, { instance: 1 }], [{ instance: 1 }]);
  const gone = looks[1]!.instances.filter(({ ended }) => ended !== null);
  assert.deepEqual(
    gone.map(({ name, ended }) => [name, ended]),
    [['0', 'it is gone']],
  );
  const old = watch('old', [{}, { instance: 1 }], [{ instance: 1 }]);
  assert.ok(
    old[1]!.instances.every(({ ended }) => ended === null),
    'an old one may go',
  );
});
