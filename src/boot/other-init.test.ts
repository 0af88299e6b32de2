import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { DaemonFacts } from './daemon-facts.js';
import { OTHER_INITS, otherInitFile } from './other-init.js';

const FACTS: DaemonFacts = {
  user: 'root',
  homeFolder: '/root',
  home: `/srv/it's <mine> & "yours"`,
  log: `/srv/it's <mine> & "yours"/daemon.log`,
  node: '/usr/bin/node',
  command: ['/opt/upkeep-shim', 'lock', `/srv/it's <mine> & "yours"/daemon.lock`, '--', '/usr/bin/node'],
  needed: ['/opt/upkeep-shim', '/usr/bin/node'],
  searchPath: '/usr/bin:/bin',
};

test('every file for another init system says in its first lines that it is untested', () => {
  for (const init of OTHER_INITS) {
    const lines = otherInitFile(init, FACTS).text.split('\n');
    assert.match(lines.slice(0, 3).join('\n'), /UNTESTED/, init);
  }
});

test('the command of the OpenRC script reaches the shell word by word', () => {
  const { text } = otherInitFile('openrc', FACTS);
  const print = 'eval "set -- \\$command $command_args"; printf "%s\\n" "$@"';
  const { stdout, stderr } = spawnSync('sh', ['-c', `${text}\n${print}`], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trimEnd().split('\n'), FACTS.command);
});

test('the property list of launchd is well-formed, and names the command word by word', () => {
  const { text } = otherInitFile('launchd', FACTS);
  const read =
    'import plistlib, sys; print("\\n".join(plistlib.loads(sys.stdin.buffer.read())["ProgramArguments"]))';
  const { stdout, stderr } = spawnSync('python3', ['-c', read], { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trimEnd().split('\n'), FACTS.command);
});

test('an init system that nobody knows is refused with those that there are', () => {
  assert.throws(() => otherInitFile('runit', FACTS), { code: 'usage', hint: 'systemd, launchd or openrc' });
});
