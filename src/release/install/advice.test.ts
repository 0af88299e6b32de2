import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviseInstall, skippedScripts } from './advice.js';

test('what package managers say of their failures has a next step', () => {
  const lines = {
    'npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.':
      /lockfile that comes out/,
    'ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"': /lockfile that comes out/,
    'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.':
      /lockfile that comes out/,
    'npm error code EINTEGRITY': /find out why/,
    'npm error code E401': /token/,
    'npm error code ENOSPC': /room/,
    'npm error network request to https://registry failed, reason: getaddrinfo EAI_AGAIN registry':
      /reaches the registry/,
    'gyp ERR! find Python': /python3/,
    'npm error sh: 1: husky: not found': /development dependency/,
  };
  for (const [line, advice] of Object.entries(lines)) assert.match(adviseInstall(line) ?? '', advice, line);
  assert.equal(adviseInstall('npm error something else'), undefined);
});

test('packages whose scripts npm has skipped are known by name and version', () => {
  const lines = [
    'npm warn install-scripts   esbuild@0.28.2 (postinstall: node install.js)',
    'npm warn install-scripts',
  ];
  assert.deepEqual(skippedScripts(lines), ['esbuild@0.28.2']);
});
