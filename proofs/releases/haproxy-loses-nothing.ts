/**
 * Two services on two hosts behind HAProxy are replaced one after the other under load, and no request fails.
 *
 * h5 and flex have a server on app1 and one on app2 each, which are processes of this machine. In each round all four are taken
 * out, killed by SIGKILL, started in the next version, and let in with a tenth of their weight first; once a round HAProxy is
 * reloaded while one of them is out, in every second round without a server-state-file. At last both servers of flex but one are
 * gone, and that one refuses to go.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTraffic, type Traffic } from '../../src/release/index.js';
import { systemClock } from '../../src/system/index.js';
import { freePort, Haproxy, Load, NamedServer, until } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const rounds = Math.max(2, Math.round(20 * Number(values.scale)));
const CLIENTS = 8;
const HOSTS = ['app1', 'app2'] as const;
const SERVICES = ['h5', 'flex'] as const;
type Host = (typeof HOSTS)[number];
type Service = (typeof SERVICES)[number];

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'upkeep-haproxy-'));
const ports = new Map<string, number>();
for (const service of SERVICES)
  for (const place of ['front', ...HOSTS]) ports.set(`${service}@${place}`, await freePort());
const processes = new Map<string, NamedServer>();
let reassertions = 0;

try {
  for (const service of SERVICES) for (const host of HOSTS) await start(service, host, 0);
  const total = { requests: 0, failed: 0, reloads: 0, refused: 0, ms: [] as number[] };
  for (const keepsState of [true, false]) {
    await using haproxy = await Haproxy.start({
      folder: join(folder, String(keepsState)),
      backends: backends(),
      keepsState,
    });
    const traffics = new Map(HOSTS.map((host) => [host, traffic(host, haproxy)] as const));
    await until(
      'all servers are up',
      async () => (await haproxy.ask('show stat')).match(/app\d,.*,UP,/g)?.length === 4,
    );
    const loads = SERVICES.flatMap((service) =>
      Array.from({ length: CLIENTS / 2 }, () => new Load(ports.get(`${service}@front`)!)),
    );
    for (let round = 1; round <= rounds / 2; round++) {
      for (const host of HOSTS)
        for (const service of SERVICES) {
          const isReloaded = host === HOSTS[round % 2] && service === SERVICES[0];
          total.ms.push(
            await replace(traffics.get(host)!, {
              service,
              host,
              round,
              haproxy: isReloaded ? haproxy : undefined,
            }),
          );
          if (isReloaded) total.reloads++;
        }
    }
    total.refused += await refuseLast(traffics, haproxy);
    for (const load of loads) await load[Symbol.asyncDispose]();
    for (const each of traffics.values()) each.close();
    for (const { answers, failures, count } of loads) {
      const wrong = [...answers].filter(([body]) => !/^(?:h5|flex) v\d+ at app\d$/.test(body));
      for (const failure of [...failures, ...wrong.map(([body]) => body)])
        console.log(`FAILED ${failure.slice(0, 200)}`);
      total.requests += count;
      total.failed += failures.length + wrong.reduce((sum, [, times]) => sum + times, 0);
    }
  }
  const ms = total.ms.sort((a, b) => a - b);
  console.log(
    `${total.ms.length} servers replaced under load, ${total.reloads} reloads of HAProxy meanwhile`,
  );
  console.log(`${total.requests} requests by ${2 * CLIENTS} clients, failed: ${total.failed}`);
  console.log(
    `out and quiet after ${Math.round(ms[ms.length >> 1]!)} ms (median), ${Math.round(ms.at(-1)!)} ms at most`,
  );
  console.log(
    `put out again after a reload that forgot it: ${reassertions}; the last server refused to go: ${total.refused} of 2`,
  );
  assert.equal(total.failed, 0);
  assert.equal(total.refused, 2);
  assert.ok(reassertions > 0, 'a reload without a state file was noticed');
} finally {
  for (const server of processes.values()) await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}

interface Replacement {
  readonly service: Service;
  readonly host: Host;
  readonly round: number;
  /** To be reloaded while the server is out. */
  readonly haproxy: Haproxy | undefined;
}

/** Answers after how many milliseconds it was out. */
async function replace(own: Traffic, { service, host, round, haproxy }: Replacement): Promise<number> {
  const begunAt = performance.now();
  await own.out(service, never);
  const outMs = performance.now() - begunAt;
  if (haproxy) {
    await haproxy.reload();
    await until('it is out again', async () => (await own.look(service, 100, never)).isOut);
    // Where HAProxy had forgotten it, requests came in the meantime: out is who is quiet.
    await own.out(service, never);
  }
  await processes.get(`${service}@${host}`)![Symbol.asyncDispose]();
  await start(service, host, round);
  await own.in(service, 10, never);
  await own.in(service, 100, never);
  return outMs;
}

/** With the other server of flex out, the one that is left stays, and goes on serving. Answers 1 where that was so. */
async function refuseLast(traffics: ReadonlyMap<Host, Traffic>, haproxy: Haproxy): Promise<number> {
  await traffics.get('app1')!.out('flex', never);
  const refused = await traffics
    .get('app2')!
    .out('flex', never)
    .then(
      () => 0,
      () => 1,
    );
  assert.match(await haproxy.ask('show stat'), /^flex,app2,.*,UP,/m);
  await traffics.get('app1')!.in('flex', 100, never);
  return refused;
}

async function start(service: Service, host: Host, version: number): Promise<void> {
  const key = `${service}@${host}`;
  processes.set(key, await NamedServer.start(`${service} v${version} at ${host}`, ports.get(key)!));
}

function traffic(host: Host, haproxy: Haproxy): Traffic {
  return createTraffic(
    {
      type: 'haproxy',
      sockets: [haproxy.socket],
      servers: Object.fromEntries(SERVICES.map((service) => [service, `${service}/${host}`])),
      canaryWeight: 10,
      drainMs: 30_000,
      allowLast: false,
    },
    {
      clock: systemClock,
      group: 'shop',
      onProgress: (text) => {
        if (text.includes('had forgotten')) reassertions++;
      },
    },
  );
}

function backends(): Record<string, { port: number; servers: Record<string, number> }> {
  return Object.fromEntries(
    SERVICES.map((service) => [
      service,
      {
        port: ports.get(`${service}@front`)!,
        servers: Object.fromEntries(HOSTS.map((host) => [host, ports.get(`${service}@${host}`)!])),
      },
    ]),
  );
}
