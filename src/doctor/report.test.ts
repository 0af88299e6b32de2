import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineOf, nodeOf, serviceOf } from './made-up-machine.js';
import { examine, isHealthy } from './report.js';

test('nothing is found on a healthy machine', () => {
  const report = examine(machineOf());
  assert.deepEqual(report.findings, []);
  assert.equal(isHealthy(report), true);
});

test('notes are no sickness, warnings are, and the worst comes first', () => {
  const note = examine(machineOf({ units: [] }));
  assert.deepEqual(
    note.findings.map(({ id, severity }) => [severity, id]),
    [['note', 'not-started-at-boot']],
  );
  assert.equal(isHealthy(note), true);
  const sick = examine(
    machineOf({ units: [], version: '2.0.0' }, { stateNotes: ['state.json is not usable'], disk: undefined }),
  );
  assert.deepEqual(
    sick.findings.map(({ severity }) => severity),
    ['error', 'note', 'note'],
  );
  assert.equal(isHealthy(sick), false);
});

test('the way of running is that of the control group of the daemon', () => {
  const ways = ['0::/user.slice/x.scope', '0::/system.slice/upkeep.service', USER_UNIT].map(
    (controlGroups) => {
      const daemon = nodeOf(10, { controlGroups, argv: ['node', '/opt/upkeep/dist/daemon.js'] });
      return examine(machineOf({}, { daemon })).way;
    },
  );
  assert.deepEqual(ways, ['on-demand', 'system-systemd', 'user-systemd']);
});

const USER_UNIT = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/upkeep.service';

test('what is missing for production is a start at boot and configuration files', () => {
  const { missing } = examine(machineOf({ units: [] }, { services: [serviceOf('api'), serviceOf('web')] }));
  assert.deepEqual(
    missing.map(({ what }) => what),
    ['a start at boot', 'a configuration file for api and web'],
  );
});
