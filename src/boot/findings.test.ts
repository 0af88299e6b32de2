import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeFrom } from '../client/index.js';
import type { DaemonFacts } from './daemon-facts.js';
import { noticesOf, problemsOf, type Evidence } from './findings.js';
import type { BootStatus } from './status.js';
import { systemdUnit } from './systemd-unit.js';

const NODE = process.execPath;
const FACTS: DaemonFacts = {
  user: 'ann',
  homeFolder: '/home/ann',
  home: '/home/ann/.upkeep',
  log: '/home/ann/.upkeep/daemon.log',
  node: NODE,
  command: [NODE],
  needed: [NODE],
  searchPath: '/usr/bin',
};

const HEALTHY: BootStatus = {
  way: 'user-systemd',
  daemonPid: 42,
  home: '/home/ann/.upkeep',
  user: 'ann',
  hasSystemd: true,
  scope: 'user',
  unit: 'upkeep.service',
  path: '/home/ann/.config/systemd/user/upkeep.service',
  isInstalled: true,
  isEnabled: true,
  isActive: true,
  isLingering: true,
  node: '/usr/bin/node',
  differences: [],
  findings: [],
};

const EVIDENCE: Evidence = {
  target: {
    scope: 'user',
    unit: 'upkeep.service',
    path: HEALTHY.path,
    home: homeFrom({ UPKEEP_HOME: HEALTHY.home }),
    account: { uid: 1000, gid: 1000, groups: [], name: 'ann', homeFolder: '/home/ann' },
    isSelf: true,
  },
  text: systemdUnit(FACTS, 'user'),
  needsReload: false,
};

test('nothing is found where all is well', () => {
  assert.deepEqual([...problemsOf(HEALTHY, EVIDENCE), ...noticesOf(HEALTHY, EVIDENCE)], []);
});

const CASES: readonly {
  readonly status?: Partial<BootStatus>;
  readonly evidence?: Partial<Evidence>;
  readonly finds: string;
}[] = [
  { status: { hasSystemd: false }, finds: 'systemd does not run on this machine' },
  { evidence: { text: undefined }, finds: 'nothing starts the daemon at boot' },
  {
    evidence: { text: systemdUnit({ ...FACTS, home: '/srv/other' }, 'user') },
    finds: 'upkeep.service starts another home: /srv/other',
  },
  {
    evidence: { text: systemdUnit({ ...FACTS, needed: ['/nowhere/node'] }, 'user') },
    finds: 'upkeep.service needs /nowhere/node, which does not exist',
  },
  { status: { isEnabled: false }, finds: 'upkeep.service is not enabled' },
  { status: { isLingering: false }, finds: 'systemd of "ann" starts with the first login, not at boot' },
  { status: { isActive: false, way: null }, finds: 'upkeep.service is not active' },
  {
    status: { isActive: false, way: 'on-demand' },
    finds: 'the daemon that runs is not that of upkeep.service, which cannot start its own',
  },
];

for (const { status, evidence, finds } of CASES) {
  test(`exactly one problem, with its next step: ${finds}`, () => {
    const problems = problemsOf({ ...HEALTHY, ...status }, { ...EVIDENCE, ...evidence });
    assert.deepEqual(
      problems.map(({ message }) => message),
      [finds],
    );
    assert.notEqual(problems[0]!.hint, '');
  });
}

test('what does not stand in the way of a boot is a notice', () => {
  const status = { ...HEALTHY, node: '/home/ann/.nvm/v20/bin/node', differences: ['ExecStart'] };
  assert.deepEqual(
    noticesOf(status, { ...EVIDENCE, needsReload: true }).map(({ message }) => message),
    [
      'systemd has read an older version of the unit',
      'upkeep.service would be written otherwise now: ExecStart',
      '/home/ann/.nvm/v20/bin/node belongs to nvm, which may take it away',
    ],
  );
});
