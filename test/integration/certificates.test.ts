/** With real servers and certificates; only the clock is made up. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { BARE_SPEC } from '../../src/core/index.js';
import { DEFAULT_HEALTH, type Level, type NewEvent, type ServiceSpec } from '../../src/protocol/index.js';
import { readCertificate } from '../../src/system/index.js';
import { CertificateWatch, LOOK_MS, RETRY_MS } from '../../src/daemon/certificate-watch.js';

const DAY_MS = 86_400_000;
type Told = Extract<NewEvent, { type: 'certificate' }>;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-certificates-'));
});
after(() => rmSync(folder, { recursive: true }));

test('a certificate is told fourteen days before it expires, once, and that there is another one', async () => {
  await using world = await World.create(made('shop.example', 20));
  await world.looked();
  assert.deepEqual([world.told, world.reads], [[], 1]);

  world.pass(LOOK_MS - 60_000);
  await world.looked();
  assert.equal(world.reads, 1, 'not before it is time');

  world.pass(7 * DAY_MS);
  await world.looked();
  const [told] = world.told;
  assert.deepEqual(
    [told!.service, told!.host, told!.port, told!.isExpiring, told!.shown!.subject],
    ['api', 'localhost', world.port, true, 'shop.example'],
  );
  assert.ok(Math.abs(Date.parse(told!.shown!.expiresAt) - (world.begunAt + 20 * DAY_MS)) < 60_000);

  world.pass(LOOK_MS);
  await world.looked();
  assert.equal(world.told.length, 1, 'not twice');

  world.show(made('shop.example', 90));
  world.pass(LOOK_MS);
  await world.looked();
  assert.deepEqual(
    world.told.slice(1).map(({ isExpiring }) => isExpiring),
    [false],
  );
});

test('one that has expired is told, too, and how early is configured, or that nobody looks', async () => {
  await using expired = await World.create(made('old.example', 1));
  expired.pass(3 * DAY_MS);
  await expired.looked();
  assert.deepEqual(
    expired.told.map(({ shown }) => shown!.subject),
    ['old.example'],
  );

  await using early = await World.create(made('early.example', 20), { certificateMs: 30 * DAY_MS });
  await early.looked();
  assert.equal(early.told.length, 1);

  await using never = await World.create(made('never.example', 1), { certificateMs: null });
  await never.looked();
  assert.deepEqual([never.told, never.reads], [[], 0]);
});

test('a service without an https check is not looked at, nor one that does not serve', async () => {
  await using plain = await World.create(made('plain.example', 1), { protocol: 'http' });
  await plain.looked();
  await using down = await World.create(made('down.example', 1));
  down.level = 'down';
  await down.looked();
  assert.deepEqual([plain.reads, down.reads, plain.told, down.told], [0, 0, [], []]);
  assert.equal(plain.levelsAsked, 0, 'nothing else is done for it');
});

test('a place that has not answered is asked again after ten minutes, whatever happens until then', async () => {
  await using world = await World.create(made('mute.example', 1));
  world.isMute = true;
  for (let times = 0; times < 3; times++) await world.looked();
  assert.equal(world.reads, 1);
  world.pass(RETRY_MS - 1);
  await world.looked();
  assert.equal(world.reads, 1);
  world.isMute = false;
  world.pass(1);
  await world.looked();
  assert.deepEqual([world.reads, world.told.length], [2, 1]);
});

test('what was told by a former daemon is over where the service was stopped, and stays where it still expires', async () => {
  await using world = await World.create(made('shop.example', 1), {}, (port) => [
    ['api', `localhost:${port}`],
  ]);
  await world.looked();
  assert.deepEqual([world.told, world.reads], [[], 1]);
  world.level = 'off';
  await world.looked();
  const [over] = world.told;
  assert.deepEqual(
    [over!.isExpiring, over!.shown, over!.host, over!.port],
    [false, null, 'localhost', world.port],
  );
});

test('a server that speaks no TLS, hangs up or is not there is passed over', async () => {
  const deaf = createPlainServer((socket) => void socket.resume().end('no\n')).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { port } = deaf.address() as AddressInfo;
  assert.equal(await readCertificate({ host: '127.0.0.1', port }), undefined);
  deaf.close();
  await once(deaf, 'close');
  assert.equal(await readCertificate({ host: '127.0.0.1', port }), undefined);
});

interface Pair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Expires so many days from now. */
function made(name: string, days: number): Pair {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.${days}.pem`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const about = ['-subj', `/CN=${name}`, '-days', String(days)];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...about], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

interface Options {
  readonly certificateMs?: number | null;
  readonly protocol?: 'http' | 'https';
}

class World implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly begunAt = Date.now();
  reads = 0;
  levelsAsked = 0;
  level: Level = 'up';
  /** As one that does not answer in time. */
  isMute = false;
  readonly #server: Server;
  readonly #spec: ServiceSpec;
  readonly #watch: CertificateWatch;
  #now = this.begunAt;

  private constructor(server: Server, options: Options, toldBefore: readonly (readonly [string, string])[]) {
    const { certificateMs = DEFAULT_HEALTH.certificateMs, protocol = 'https' } = options;
    this.#server = server;
    const check = { on: 'http', url: `${protocol}://localhost:${this.port}/health`, status: null } as const;
    const often = { intervalMs: 1000, timeoutMs: 1000, failures: 1 };
    this.#spec = {
      ...BARE_SPEC,
      name: 'api',
      health: { ...DEFAULT_HEALTH, ...often, check, certificateMs },
    };
    this.#watch = new CertificateWatch(
      {
        now: () => this.#now,
        specs: () => [this.#spec],
        levelOf: () => {
          this.levelsAsked++;
          return this.level;
        },
        read: (place) => {
          this.reads++;
          return this.isMute ? Promise.resolve(undefined) : readCertificate(place);
        },
        emit: (event) => this.told.push(event as Told),
        onInternalError: (error) => assert.fail(error as Error),
      },
      toldBefore,
    );
  }

  static async create(
    pair: Pair,
    options: Options = {},
    toldBefore: (port: number) => readonly (readonly [string, string])[] = () => [],
  ): Promise<World> {
    const server = createServer(pair).listen(0, 'localhost');
    await once(server, 'listening');
    return new World(server, options, toldBefore((server.address() as AddressInfo).port));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  show(pair: Pair): void {
    this.#server.setSecureContext(pair);
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  looked(): Promise<void> {
    return this.#watch.lookNow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch.end();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
