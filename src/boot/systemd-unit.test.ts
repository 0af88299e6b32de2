import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonFacts } from './daemon-facts.js';
import { relocatedUnit, systemdUnit, unitDifferences, unitFiles, unitVariable } from './systemd-unit.js';

const FACTS: DaemonFacts = {
  user: 'root',
  homeFolder: '/root',
  home: '/root/.upkeep',
  log: '/root/.upkeep/daemon.log',
  node: '/usr/bin/node',
  command: [
    ...['/opt/upkeep/native/linux-x64/upkeep-shim', 'lock', '/root/.upkeep/daemon.lock', '--'],
    ...['/usr/bin/node', '/opt/upkeep/dist/daemon.js'],
  ],
  needed: ['/opt/upkeep/native/linux-x64/upkeep-shim', '/usr/bin/node', '/opt/upkeep/dist/daemon.js'],
  searchPath: '/usr/bin:/bin',
};

const STRANGE: DaemonFacts = {
  ...FACTS,
  home: '/srv/100% "upkeep" $HOME',
  log: '/srv/100% "upkeep" $HOME/daemon.log',
  needed: ['/opt/my shim', '/opt/$node', '/opt/100%/daemon.js'],
  command: ['/opt/my shim', 'lock', '/srv/100% "upkeep" $HOME/daemon.lock', '--', '/opt/$node'],
};

test('the unit of the machine', () => {
  assert.equal(
    systemdUnit(FACTS, 'system'),
    `# Written by "upkeep boot install", which overwrites it; what you want to change belongs into a drop-in:
#   systemctl edit <this unit>
[Unit]
Description=upkeep keeps the services of root up
Wants=network-online.target
After=network-online.target remote-fs.target time-sync.target
RequiresMountsFor=/root/.upkeep /opt/upkeep/native/linux-x64/upkeep-shim /usr/bin/node /opt/upkeep/dist/daemon.js
StartLimitIntervalSec=0

[Service]
Type=notify
# The daemon speaks through a small process of its own; also the one that takes over from it in an upgrade.
NotifyAccess=all
User=root
WorkingDirectory=/
Environment="UPKEEP_HOME=/root/.upkeep"
Environment="PATH=/usr/bin:/bin"
ExecStartPre=/bin/sh -c "for file; do [ -e \\"$$file\\" ] || { echo \\"Cannot start upkeep: $$file does not exist; install it again, or write this unit anew: upkeep boot install\\" >&2; exit 69; }; done" upkeep /opt/upkeep/native/linux-x64/upkeep-shim /usr/bin/node /opt/upkeep/dist/daemon.js
ExecStart=/opt/upkeep/native/linux-x64/upkeep-shim lock /root/.upkeep/daemon.lock -- /usr/bin/node /opt/upkeep/dist/daemon.js
StandardOutput=append:/root/.upkeep/daemon.log
StandardError=journal
SyslogIdentifier=upkeep
Restart=always
RestartSec=1
TimeoutStartSec=90
TimeoutStopSec=90
# Services are not ended with the daemon: it takes them back when it is there again. Where the machine goes down,
# the daemon ends them itself, in order.
KillMode=process
OOMPolicy=continue
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`,
  );
});

test('the unit of a user names no user and waits for nothing of the machine', () => {
  const text = systemdUnit({ ...FACTS, user: 'deploy' }, 'user');
  assert.deepEqual(unitDifferences(text, systemdUnit({ ...FACTS, user: 'deploy' }, 'system')), [
    'WantedBy',
    'Wants',
    'After',
    'RequiresMountsFor',
    'User',
  ]);
  assert.match(text, /^WantedBy=default\.target$/m);
});

test('blanks, quotes, dollars and percents in paths mean themselves', () => {
  const text = systemdUnit(STRANGE, 'system');
  assert.match(text, /^Environment="UPKEEP_HOME=\/srv\/100%% \\"upkeep\\" \$HOME"$/m);
  assert.match(
    text,
    /^ExecStart="\/opt\/my shim" lock "\/srv\/100%% \\"upkeep\\" \$\$HOME\/daemon\.lock" -- "\/opt\/\$\$node"$/m,
  );
});

for (const [name, facts] of Object.entries({ plain: FACTS, strange: STRANGE })) {
  test(`what a unit says can be read back: ${name} paths`, () => {
    const text = systemdUnit(facts, 'system');
    assert.equal(unitVariable(text, 'UPKEEP_HOME'), facts.home);
    assert.equal(unitVariable(text, 'PATH'), facts.searchPath);
    assert.deepEqual(unitFiles(text), facts.needed);
  });
}

test('a unit for another home starts nothing at boot and leaves other folders alone', () => {
  const facts = { ...FACTS, command: [...FACTS.command, '/root/.upkeep-preload'] };
  const text = relocatedUnit(systemdUnit(facts, 'system'), '/root/.upkeep', '/tmp/trial');
  assert.equal(unitVariable(text, 'UPKEEP_HOME'), '/tmp/trial');
  assert.match(text, /^ExecStart=\S+ lock \/tmp\/trial\/daemon\.lock .* \/root\/\.upkeep-preload$/m);
  assert.match(text, /^StandardOutput=append:\/tmp\/trial\/daemon\.log$/m);
  assert.match(text, /^RequiresMountsFor=\/tmp\/trial /m);
  assert.doesNotMatch(text, /WantedBy|Install/);
});
