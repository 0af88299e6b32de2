import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastingPath, versionManagerOf } from './daemon-facts.js';

test('the PATH of a unit has no folders of one shell or one command, and all that every system has', () => {
  const path = [
    '/work/shop/node_modules/.bin',
    '/run/user/1000/fnm_multishells/12_34/bin',
    '/tmp/x/bin',
    'relative',
    '/home/ann/bin',
    '/usr/bin',
  ].join(':');
  assert.equal(
    lastingPath(path, '/opt/node/bin/node'),
    '/home/ann/bin:/usr/bin:/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin',
  );
});

test('a Node.js that a version manager may take away is recognized by its path', () => {
  const managers = {
    '/home/ann/.nvm/versions/node/v20.12.0/bin/node': 'nvm',
    '/home/ann/.local/share/fnm/node-versions/v20.12.0/installation/bin/node': 'fnm',
    '/home/ann/.volta/tools/image/node/20.12.0/bin/node': 'Volta',
    '/home/ann/.asdf/installs/nodejs/20.12.0/bin/node': 'asdf',
    '/home/ann/.local/share/mise/installs/node/20.12.0/bin/node': 'mise',
    '/usr/local/n/versions/node/20.12.0/bin/node': 'n',
    '/home/linuxbrew/.linuxbrew/Cellar/node/20.12.0/bin/node': 'Homebrew',
    '/srv/shop/node_modules/node/bin/node': 'npm',
    '/usr/bin/node': undefined,
    '/usr/local/bin/node': undefined,
    '/opt/node-v20.12.0/bin/node': undefined,
  };
  for (const [path, manager] of Object.entries(managers)) assert.equal(versionManagerOf(path), manager, path);
});
