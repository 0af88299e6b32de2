import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitEvent, HOME, idsOf, instanceOf, machineOf, NOW, processOf } from '../made-up-machine.js';
import { findBoot } from './boot.js';
import { findClock } from './clock.js';
import { findLimits } from './limits.js';
import { findMemory } from './memory.js';

const MiB = 1024 ** 2;

test('a unit of another home does not start this one', () => {
  const unit = {
    path: '/etc/systemd/system/upkeep-x.service',
    scope: 'system',
    home: '/x',
    missing: [],
  } as const;
  const units = [{ ...unit, isEnabled: true, isLingering: true }];
  assert.deepEqual(idsOf(findBoot(machineOf({ units }))), ['not-started-at-boot']);
  assert.deepEqual(findBoot(machineOf({ units }, { services: [] })), [], 'nothing has to be started');
});

test('a unit of the user needs linger, every unit has to be enabled', () => {
  const unit = {
    path: '/home/eve/.config/systemd/user/upkeep.service',
    scope: 'user',
    home: HOME,
    missing: [],
  } as const;
  const units = [{ ...unit, isEnabled: false, isLingering: false }];
  assert.deepEqual(idsOf(findBoot(machineOf({ units }))), ['boot-unit-disabled', 'no-linger']);
});

test('limits are low, or nearly used up', () => {
  const limit = (openFiles: number, open: number): string[] => {
    const descriptors = new Map(Array.from({ length: open }, (_, fd) => [fd, '/dev/null']));
    const main = processOf(21, { descriptors, limits: { openFiles, processes: Infinity } });
    return idsOf(findLimits(machineOf({}, { instances: [instanceOf('api', main)] })));
  };
  assert.deepEqual(limit(1024, 10), []);
  assert.deepEqual(limit(512, 10), ['open-files-limit']);
  assert.deepEqual(limit(1024, 1000), ['open-files-limit']);
  const few = { openFiles: 4096, processes: 10 };
  const daemonless = { daemon: undefined };
  const of = (uid: number): string[] =>
    idsOf(
      findLimits(
        machineOf({}, { ...daemonless, instances: [instanceOf('api', processOf(21, { uid, limits: few }))] }),
      ),
    );
  assert.deepEqual([of(0), of(33)], [[], ['process-limit']], 'root is exempt');
});

test('the clock has jumped where events or starts contradict it', () => {
  const events = [exitEvent(1, NOW - 5000), exitEvent(2, NOW - 500_000), exitEvent(3, NOW - 400_000)];
  assert.match(findClock(machineOf({}, { events }))[0]!.fact, /went back by 8m 15s: event 2/);
  const main = processOf(21);
  const instances = [instanceOf('api', main, { startedAt: NOW - 3_600_000 })];
  assert.match(findClock(machineOf({}, { instances }))[0]!.fact, /went forward by 59m/);
});

test('the want of memory is told with its victims', () => {
  const memory = {
    oomKills: 2,
    oomKillsOfOurs: 1,
    victims: ['node (pid 7)'],
    swapTotalBytes: MiB,
    swapFreeBytes: 0,
  };
  assert.match(
    findMemory(machineOf({ memory }))[0]!.fact,
    /2 processes .* since boot, 1 of them in the control groups of this home: node \(pid 7\)$/,
  );
  const main = processOf(21, { swapBytes: 100 * MiB });
  assert.deepEqual(idsOf(findMemory(machineOf({}, { instances: [instanceOf('api', main)] }))), [
    'swapped-out',
  ]);
});
