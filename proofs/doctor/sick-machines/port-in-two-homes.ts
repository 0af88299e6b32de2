import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { ServiceConfig } from '../../../src/config/index.js';
import { CLI } from '../../../test/rig/index.js';
import { SECOND_USER } from '../support/isolation.js';
import { defineSickness } from '../support/sickness.js';

const shop = (port: number): ServiceConfig => ({
  command: ['/bin/sleep', '1000'],
  port,
  restart: 'never',
  ready: 'start',
});

export const sickness = defineSickness({
  where: 'a second user declares the same port in a home of its own',
  finds: ['port-in-two-homes'],
  async prepare(patient) {
    const config = patient.write(
      'second.json',
      JSON.stringify({ services: { shop: shop(patient.port) } }),
      0o644,
    );
    const env = {
      ...patient.rig.env,
      HOME: patient.place.second,
      UPKEEP_HOME: `${patient.place.second}/.upkeep`,
    };
    const { uid, gid } = SECOND_USER;
    const options = { env, uid, gid, cwd: patient.place.second, stdio: 'ignore' } as const;
    spawnSync(process.execPath, [CLI, 'up', config], options); // its start fails: the port is in use
  },
  verify({ fact, evidence }, patient) {
    assert.equal(evidence['port'], patient.port);
    assert.deepEqual(evidence['other'], { home: `${patient.place.second}/.upkeep`, service: 'shop' });
    assert.match(fact, /is declared by "web" and by "shop"/);
  },
});
