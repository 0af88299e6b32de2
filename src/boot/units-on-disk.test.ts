import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { homeFrom } from '../client/index.js';
import { homeIn, missingFiles, unitsOnDisk, type Look } from './units-on-disk.js';

test('the unit that was installed for a home is found, whatever its name and folder are', () => {
  using place = new Place();
  const path = place.install('shop.service');
  assert.deepEqual(place.units(), [
    { path, scope: 'user', home: place.home, isEnabled: false, isLingering: false, missing: ['/gone/node'] },
  ]);
  mkdirSync(join(place.folder, 'default.target.wants'));
  symlinkSync(path, join(place.folder, 'default.target.wants/shop.service'));
  assert.deepEqual(
    place.units().map(({ isEnabled }) => isEnabled),
    [true],
  );
  rmSync(path);
  assert.deepEqual(place.units(), []);
});

test('units that were written by hand are read, too', () => {
  const text =
    'Environment=A=1 UPKEEP_HOME=/srv/100%%\nExecStart=-/gone/node /gone/dist/daemon.js lock /later\n';
  assert.equal(homeIn(text), '/srv/100%');
  assert.deepEqual(missingFiles(text), ['/gone/node', '/gone/dist/daemon.js']);
  assert.equal(homeIn('Environment="UPKEEP_HOME=/srv/my home"'), '/srv/my home');
  assert.equal(homeIn('[Service]'), undefined);
});

class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'upkeep-units-'));
  readonly home = join(this.folder, 'home');

  install(unit: string): string {
    const path = join(this.folder, unit);
    mkdirSync(this.home);
    writeFileSync(path, `Environment="UPKEEP_HOME=${this.home}"\nExecStart=/gone/node\n`);
    writeFileSync(join(this.home, 'boot.json'), JSON.stringify({ scope: 'user', unit, path }));
    return path;
  }

  /** In this folder alone. */
  units(): ReturnType<typeof unitsOnDisk> {
    const look: Look = {
      names: (folder) => (folder.startsWith(this.folder) ? readdirSync(folder) : []),
      text: (path) => readFileSync(path, 'utf8'),
    };
    return unitsOnDisk(homeFrom({ UPKEEP_HOME: this.home }), undefined, look);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
