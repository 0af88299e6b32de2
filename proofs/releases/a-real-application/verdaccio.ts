/**
 * verdaccio, from the registry of npm. Its tarball has no lockfile, so a command installs what it needs. The configuration and the
 * storage lie outside of the releases, and all versions of a service serve the same package from it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/rig/index.js';
import { packPackage } from '../../../test/rig/release-job.js';
import { INSTALL_TIMEOUT, verifyBy, type Application } from './application.js';

const VERSIONS = ['5.29.2', '5.33.0', '6.0.5'] as const;
const PACKAGE = 'greeting';
/** Without its development dependencies, and with a version in the place of a tag (`node-fetch@cjs`), which not every mirror has. */
const INSTALL = [
  'npm pkg delete devDependencies',
  'npm pkg set overrides.node-fetch=2',
  'npm install --prefer-offline --ignore-scripts --no-audit --no-fund',
].join(' && ');

export async function verdaccio(
  folder: string,
  registry: string,
  { instances }: { readonly instances: number },
): Promise<Application> {
  const name = `verdaccio-${instances}`;
  const port = await freePort();
  const config = writeConfig(join(folder, name));
  return {
    name,
    port,
    instances,
    versions: VERSIONS,
    service: {
      script: 'bin/verdaccio',
      args: `--config ${config} --listen http://127.0.0.1:${port}`,
      port,
      instances,
      ready: { http: '/-/ping', timeout: '60s' },
      stop: { drain: '5s' },
    },
    group: {
      source: { type: 'npm', package: 'verdaccio', registry },
      install: { run: `${INSTALL} --registry ${registry}`, timeout: INSTALL_TIMEOUT },
      verify: verifyBy('/', instances),
    },
    paths: [`/${PACKAGE}`, `/${PACKAGE}/-/${PACKAGE}-1.0.0.tgz`, '/'],
    place: { body: '"version":"([^"]+)"' },
    says: (version) => version,
    clients: [],
    furnish: () => publish(port),
  };
}

function writeConfig(folder: string): string {
  mkdirSync(folder);
  const config = `storage: ${join(folder, 'storage')}
uplinks: {}
auth: { htpasswd: { file: ${join(folder, 'htpasswd')} } }
packages: { '**': { access: $all, publish: $all } }
log: { type: stdout, format: pretty, level: warn }
`;
  const path = join(folder, 'config.yaml');
  writeFileSync(path, config);
  return path;
}

/** As npm does it. */
async function publish(port: number): Promise<void> {
  const { bytes, integrity } = packPackage(PACKAGE, '1.0.0', { 'index.js': "module.exports = 'hello';\n" });
  const file = `${PACKAGE}-1.0.0.tgz`;
  const tarball = `http://127.0.0.1:${port}/${PACKAGE}/-/${file}`;
  const body = JSON.stringify({
    _id: PACKAGE,
    name: PACKAGE,
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { name: PACKAGE, version: '1.0.0', dist: { tarball, integrity } } },
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: bytes.toString('base64'),
        length: bytes.length,
      },
    },
  });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}/${PACKAGE}`, { method: 'PUT', headers, body });
  if (!response.ok)
    throw new Error(`${PACKAGE} is not published: ${response.status} ${await response.text()}`);
}
