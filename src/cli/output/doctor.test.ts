import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Report } from '../../doctor/index.js';
import { formatFixed, formatReport } from './doctor.js';

const HEALTHY: Report = { home: '/srv/home', way: 'system-systemd', missing: [], findings: [], unseen: [] };

const FINDING: Finding = {
  id: 'home-readable',
  severity: 'error',
  fact: '1 file of /srv/home can be read by everyone: state.json',
  evidence: {},
  command: 'chmod 700 /srv/home',
  repair: { kind: 'chmod', path: '/srv/home', mode: 0o700 },
};

test('a healthy machine is one line that says how upkeep runs', () => {
  assert.equal(
    formatReport(HEALTHY),
    'Healthy: upkeep runs as a unit of the systemd of the machine (home /srv/home)',
  );
});

test('what is missing for production and what could not be looked at are told', () => {
  const missing = [{ what: 'a start at boot', command: 'upkeep boot install' }];
  assert.deepEqual(formatReport({ ...HEALTHY, way: 'on-demand', missing, unseen: ['/root'] }).split('\n'), [
    'Nothing is wrong with what could be looked at: upkeep runs on demand (home /srv/home)',
    '  missing for production: a start at boot (upkeep boot install)',
    '  not looked at: /root',
  ]);
});

test('findings are grouped by severity, each with its way out', () => {
  const note: Finding = {
    id: 'wrapper',
    severity: 'note',
    fact: 'npm',
    evidence: {},
    command: 'upkeep show api',
  };
  assert.deepEqual(formatReport({ ...HEALTHY, findings: [FINDING, note] }).split('\n'), [
    '1 error',
    '  home-readable: 1 file of /srv/home can be read by everyone: state.json',
    '    fix: chmod 700 /srv/home   (or: upkeep doctor --fix)',
    '',
    '1 note',
    '  wrapper: npm',
    '    fix: upkeep show api',
    '',
    'upkeep runs as a unit of the systemd of the machine (home /srv/home)',
  ]);
  assert.deepEqual(formatFixed([FINDING]), ['fixed home-readable: chmod 700 /srv/home']);
});
