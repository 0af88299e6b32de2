/** What is reloaded in this proof, and under which load. */
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import { assertSucceeded, freePort, Rig } from '../../../test/rig/index.js';
import { createCertificate, install } from '../support/install.js';
import type { ClientDescription } from '../load/index.js';
import { carryOut, type Campaign, type Outcome } from '../support/campaign.js';

export type Extent = Pick<Campaign, 'reloads' | 'restarts' | 'requests'>;

const DRAIN_MS = 3000;
/** The default. */
const IDLE_DRAIN_MS = 10_000;

/** For programs that upkeep knows nothing of: what they do with connections that are kept is their own affair. */
const FOREIGN_CLIENTS: readonly ClientDescription[] = [
  { kind: 'connections', perSecond: 100, serviceMs: 20 },
  { kind: 'posts', clients: 3, thinkMs: 100 },
  { kind: 'downloads', clients: 4, thinkMs: 50 },
];

export async function reloadNode(instances: number, extent: Extent): Promise<Outcome> {
  await using rig = await Rig.create();
  const [express, plain, port, plainPort, tlsPort] = [
    await install({ source: 'apps/express5' }),
    await install({ source: 'apps/node' }),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const { key, cert } = await createCertificate(rig.folder);
  const tls = { PORT: plainPort, TLS_PORT: tlsPort, TLS_KEY: key, TLS_CERT: cert };
  assertSucceeded(
    await rig.up({
      shop: service({ script: 'server.js', cwd: express, port, instances, env: { PORT: port } }),
      plain: service({ script: 'server.js', cwd: plain, ports: [plainPort, tlsPort], instances, env: tls }),
    }),
  );
  return await carryOut({
    rig,
    services: ['shop', 'plain'],
    port,
    clients: [
      { kind: 'connections', perSecond: 150, serviceMs: 20 },
      { kind: 'keep-alive', clients: 20, thinkMs: 60, serviceMs: 5 },
      { kind: 'posts', clients: 6, thinkMs: 100 },
      { kind: 'downloads', clients: 8, thinkMs: 50 },
      { kind: 'http2', port: tlsPort, sessions: 2, streams: 4, thinkMs: 50 },
      { kind: 'events', clients: 4, everyMs: 200 },
      { kind: 'events', name: 'short events', clients: 4, everyMs: 100, lastsMs: 700 },
      { kind: 'websockets', clients: 4, everyMs: 60 },
      { kind: 'websockets', name: 'short websockets', clients: 4, everyMs: 60, lastsMs: 700 },
    ],
    drainMs: DRAIN_MS,
    ...extent,
  });
}

/**
 * Connections that are kept and seldom used: a drain waits for their next request as long as Node itself would keep them,
 * which takes the default deadline. Streams without an end would make it wait all the time.
 */
export async function reloadIdle(extent: Extent): Promise<Outcome> {
  await using rig = await Rig.create();
  const [cwd, port] = [await install({ source: 'apps/express5' }), await freePort()];
  const idle = { ...service({ script: 'server.js', cwd, port, env: { PORT: port } }), stop: {} };
  assertSucceeded(await rig.up({ shop: idle }));
  return await carryOut({
    rig,
    services: ['shop'],
    port,
    clients: [
      { kind: 'keep-alive', name: 'rarely', clients: 40, thinkMs: 2000, serviceMs: 5 },
      { kind: 'keep-alive', clients: 10, thinkMs: 60, serviceMs: 5 },
      { kind: 'posts', clients: 3, thinkMs: 100 },
    ],
    drainMs: IDLE_DRAIN_MS,
    ...extent,
  });
}

export async function reloadGunicorn(extent: Extent): Promise<Outcome> {
  await using rig = await Rig.create();
  const cwd = await install({ source: 'apps/gunicorn' });
  const port = await freePort();
  const command = ['/usr/bin/gunicorn', '--threads', '16', 'app'];
  assertSucceeded(await rig.up({ wsgi: service({ command, cwd, port, sockets: 'systemd' }) }));
  return await carryOut({
    rig,
    services: ['wsgi'],
    port,
    clients: FOREIGN_CLIENTS.map((client) => ({ ...client, isKeptAlive: false })),
    drainMs: DRAIN_MS,
    ...extent,
  });
}

export async function reloadC(extent: Extent): Promise<Outcome> {
  await using rig = await Rig.create();
  const build = 'cc -O2 -Wall -pthread -o server server.c';
  const cwd = await install({ source: 'apps/c', build });
  const port = await freePort();
  assertSucceeded(
    await rig.up({ c: service({ command: [join(cwd, 'server')], cwd, port, sockets: 'systemd' }) }),
  );
  return await carryOut({
    rig,
    services: ['c'],
    port,
    clients: [...FOREIGN_CLIENTS, { kind: 'keep-alive', clients: 10, thinkMs: 60, serviceMs: 5 }],
    drainMs: DRAIN_MS,
    ...extent,
  });
}

function service(config: ServiceConfig): ServiceConfig {
  return {
    ...config,
    stop: { drain: DRAIN_MS },
    reload: { stable: '300ms' },
    env: { NODE_ENV: 'production', ...config.env },
  };
}
