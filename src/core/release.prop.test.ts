import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RELEASE_STAGES, type ReleaseStage } from '../protocol/index.js';
import { stepRelease, WAITING, type ReleaseEffect, type ReleaseEvent, type ReleaseState } from './release.js';

const EVENTS = ['begin', 'done', 'failed', 'needless', 'abort', 'resume'] as const;
const events = fc.array(fc.constantFrom(...EVENTS), { maxLength: 60 });
const at = (stage: ReleaseStage): number => RELEASE_STAGES.indexOf(stage);

/** What a home looks like from outside: which release serves, and whether new instances stand beside it. */
interface World {
  serves: 'old' | 'new';
  hasGuests: boolean;
  verified: Set<ReleaseStage>;
}

/** An effect is done as a whole, or, where a daemon is killed, perhaps not at all. */
function apply(world: World, effect: ReleaseEffect): void {
  if (effect.id === 'perform') {
    if (effect.stage === 'boot') world.hasGuests = true;
    if (effect.stage === 'commit') Object.assign(world, { serves: 'new', hasGuests: false });
  }
  if (effect.id === 'revert') Object.assign(world, { serves: 'old', hasGuests: false });
}

function play(history: readonly ReleaseEvent['id'][]): {
  world: World;
  states: ReleaseState[];
  effects: ReleaseEffect[];
} {
  const world: World = { serves: 'old', hasGuests: false, verified: new Set() };
  const states: ReleaseState[] = [WAITING];
  const all: ReleaseEffect[] = [];
  for (const id of history) {
    const before = states.at(-1)!;
    const { state, effects } = stepRelease(before, { id });
    if (id === 'done' && before.id === 'at') world.verified.add(before.stage);
    if (effects.some((effect) => effect.id === 'perform' && effect.stage === 'commit'))
      for (const stage of ['preflight', 'boot', 'verify'] as const)
        assert.ok(world.verified.has(stage), stage);
    for (const effect of effects) apply(world, effect);
    states.push(state);
    all.push(...effects);
  }
  return { world, states, effects: all };
}

test('nothing becomes the service that was not checked, started and verified before', () => {
  fc.assert(fc.property(events, (history) => void play(history)));
});

test('stages are done in their order, and none is left out', () => {
  fc.assert(
    fc.property(events, (history) => {
      const performed = play(history).effects.flatMap((effect) =>
        effect.id === 'perform' ? [effect.stage] : [],
      );
      for (const [index, stage] of performed.entries())
        assert.ok(at(stage) <= (index === 0 ? 0 : at(performed[index - 1]!) + 1));
    }),
  );
});

test('at its end a home is whole: one release serves, and no new instance stands beside it', () => {
  fc.assert(
    fc.property(events, (history) => {
      const { world, states } = play(history);
      const last = states.at(-1)!;
      if (last.id !== 'ended') return;
      assert.equal(world.hasGuests, false);
      if (last.outcome === 'rolled-back') assert.equal(world.serves, 'old');
      if (last.outcome === 'aborted') assert.equal(world.serves, 'old');
    }),
  );
});

test('a release that ended stays so', () => {
  fc.assert(
    fc.property(events, fc.constantFrom(...EVENTS), (history, id) => {
      const last = play(history).states.at(-1)!;
      if (last.id === 'ended') assert.deepEqual(stepRelease(last, { id }), { state: last, effects: [] });
    }),
  );
});

test('whichever daemon finds it does what was to be done at that place, so the same end is reached', () => {
  fc.assert(
    fc.property(events, fc.nat(), (history, cut) => {
      const place = cut % (history.length + 1);
      const killed = [...history.slice(0, place), 'resume' as const, ...history.slice(place)];
      assert.deepEqual(play(killed).states.at(-1), play(history).states.at(-1));
      assert.deepEqual(play(killed).world, play(history).world);
    }),
  );
});

test('whatever happens, so many good ends of what is begun end every release', () => {
  fc.assert(
    fc.property(events, (history) => {
      const ends = RELEASE_STAGES.map(() => 'done' as const);
      assert.equal(play([...history, 'begin', ...ends, 'done']).states.at(-1)!.id, 'ended');
    }),
  );
});

test('a plan ends before anything is started', () => {
  let state: ReleaseState = WAITING;
  for (const id of ['begin', 'done', 'done', 'done', 'done', 'done'] as const)
    ({ state } = stepRelease(state, { id }, { last: 'preflight' }));
  assert.deepEqual(state, { id: 'ended', outcome: 'succeeded' });
});
