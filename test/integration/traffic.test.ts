import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UpkeepError, type TrafficSpec } from '../../src/protocol/index.js';
import { createTraffic, isLastServer, type Traffic } from '../../src/release/index.js';
import { OutsideTraffic } from '../../src/release/outside-traffic.js';
import { systemClock } from '../../src/system/index.js';
import {
  freePort,
  Haproxy,
  knock,
  Load,
  NamedServer,
  unlessHaproxy,
  until,
  visit,
  type HaproxyOptions,
} from '../rig/index.js';
import { releaseSpec } from '../rig/release-spec.js';

type HaproxySpec = Extract<TrafficSpec, { type: 'haproxy' }>;

const skip = unlessHaproxy();
const never = new AbortController().signal;

/** HAProxy in front of `app1` and `app2`, both of which live, unless a test says otherwise. */
class Site implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly ports: Readonly<Record<'app1' | 'app2', number>>;
  readonly said: string[] = [];
  readonly servers = new Map<string, NamedServer>();
  readonly #traffics: Traffic[] = [];
  haproxy!: Haproxy;

  private constructor(folder: string, port: number, ports: Site['ports']) {
    this.folder = folder;
    this.port = port;
    this.ports = ports;
  }

  static async open(options: Partial<HaproxyOptions> = {}): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), 'upkeep-traffic-'));
    const site = new Site(folder, await freePort(), { app1: await freePort(), app2: await freePort() });
    await site.start('app1');
    await site.start('app2');
    const backends = { web: { port: site.port, servers: site.ports } };
    site.haproxy = await Haproxy.start({ folder, backends, ...options });
    const { disabled = [] } = options;
    const enabled = ['app1', 'app2'].filter((name) => !disabled.includes(name));
    await until('the servers answer', () => site.serves(...enabled));
    return site;
  }

  async start(name: 'app1' | 'app2', answer: string = name): Promise<void> {
    this.servers.set(name, await NamedServer.start(answer, this.ports[name]));
  }

  async kill(name: 'app1' | 'app2'): Promise<void> {
    await this.servers.get(name)?.[Symbol.asyncDispose]();
  }

  traffic(spec: Partial<HaproxySpec> = {}): Traffic {
    const traffic = createTraffic(
      {
        type: 'haproxy',
        sockets: [this.haproxy.socket],
        servers: { web: 'web/app1', other: 'web/app2' },
        canaryWeight: 10,
        drainMs: 10_000,
        allowLast: false,
        ...spec,
      },
      { clock: systemClock, group: 'shop', onProgress: (text) => this.said.push(text) },
    );
    this.#traffics.push(traffic);
    return traffic;
  }

  /** Whether these, and no others, are asked. */
  async serves(...names: string[]): Promise<boolean> {
    const seen = new Set<string>();
    for (let times = 0; times < 8; times++) seen.add(await visit(this.port));
    return isDeepStrictEqual([...seen].sort(), names.sort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const traffic of this.#traffics) traffic.close();
    await this.haproxy?.[Symbol.asyncDispose]();
    for (const server of this.servers.values()) await server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }
}

test(
  'servers are killed and replaced one after the other under load, and no request fails',
  { skip },
  async () => {
    await using site = await Site.open();
    const traffic = site.traffic();
    await using load = new Load(site.port);
    for (let round = 0; round < 3; round++) {
      for (const [service, name] of [
        ['web', 'app1'],
        ['other', 'app2'],
      ] as const) {
        await traffic.out(service, never);
        assert.equal((await traffic.look(service, 100, never)).isOut, true);
        await site.kill(name);
        await site.start(name);
        await traffic.in(service, 10, never);
        await traffic.in(service, 100, never);
        assert.equal((await traffic.look(service, 100, never)).isOut, false);
        const { count } = load;
        await until('it is asked again', () => load.count > count + 20);
      }
    }
    assert.deepEqual(load.failures, []);
    assert.deepEqual([...load.answers.keys()].sort(), ['app1', 'app2'], 'no 503 either');
  },
);

test('who has a request on its way ends it first; after drainMs nobody is waited for', { skip }, async () => {
  await using site = await Site.open();
  const traffic = site.traffic();
  await traffic.out('other', never);
  const { answer } = await knock(site.port, { path: '/late' });
  await until('it is on its way', async () =>
    (await traffic.look('web', 100, never)).places[0]!.endsWith('1 session'),
  );
  await traffic.in('other', 100, never);
  const hasty = site.traffic({ drainMs: 50 });
  await hasty.out('web', never);
  assert.ok(
    site.said.some((text) => text === 'web/app1 still has 1 session after 50ms; going on'),
    site.said.join('\n'),
  );
  await hasty.in('web', 100, never);
  const out = traffic.out('web', never).then(() => 'out');
  assert.equal(await Promise.race([out, delay(200, 'waits')]), 'waits');
  site.servers.get('app1')!.answerLate();
  await out;
  assert.equal(await answer, 'app1');
  assert.equal(site.said.at(-1), 'web/app1 is drained');
});

test('both can be done again, as by a daemon that comes after a killed one', { skip }, async () => {
  await using site = await Site.open();
  const killed = site.traffic();
  await killed.out('web', never);
  killed.close();
  await site.kill('app2');
  await until('HAProxy has noticed', async () =>
    /web,app2,.*,DOWN,/.test(await site.haproxy.ask('show stat')),
  );
  const next = site.traffic();
  await next.out('web', never); // nobody else is up, and nothing is taken from anybody
  await site.start('app2');
  await next.in('web', 100, never);
  await next.in('web', 100, never);
  await until('both serve', () => site.serves('app1', 'app2'));
});

test('the last server is never taken out, unless that is wanted', { skip }, async () => {
  await using site = await Site.open();
  await site.kill('app2');
  await until('HAProxy has noticed', async () =>
    /web,app2,.*,DOWN,/.test(await site.haproxy.ask('show stat')),
  );
  await assert.rejects(site.traffic().out('web', never), (error: UpkeepError) => {
    assert.equal(error.code, 'release-refused');
    const fact = `${site.haproxy.socket} has no other server up in web (app2 is DOWN)`;
    assert.equal(error.message, `Cannot take "web/app1" out of traffic: ${fact}`);
    assert.equal(error.hint, 'bring another server of web up, or set traffic.haproxy.allowLast: true');
    assert.ok(isLastServer(error));
    return true;
  });
  const { last } = await site.traffic().look('web', 100, never);
  assert.match(last!.message, /has no other server up in web \(app2 is DOWN\)$/);
  assert.equal((await site.traffic({ allowLast: true }).look('web', 100, never)).last, null);
  assert.ok(await site.serves('app1'));
  await site.traffic({ allowLast: true }).out('web', never);
  assert.equal((await site.traffic().look('web', 100, never)).isOut, true);
});

test(
  'a release goes on with the last server in, and not with one that it cannot name',
  { skip },
  async () => {
    await using site = await Site.open();
    await site.kill('app2');
    await until('HAProxy has noticed', async () =>
      /web,app2,.*,DOWN,/.test(await site.haproxy.ask('show stat')),
    );
    const out = (server: string): Promise<string[]> => {
      const traffic: HaproxySpec = {
        type: 'haproxy',
        sockets: [site.haproxy.socket],
        servers: { web: server },
        canaryWeight: 10,
        drainMs: 10_000,
        allowLast: false,
      };
      const spec = releaseSpec({ name: 'web', folder: site.folder, traffic });
      const context = { say: () => undefined, note: () => undefined, signal: never };
      return new OutsideTraffic(spec, systemClock).out(context);
    };
    const [note] = await out('web/app1');
    assert.match(
      note!,
      /no other server up in web \(app2 is DOWN\); so it stayed in, and old instances hand over/,
    );
    assert.ok(await site.serves('app1'));
    await assert.rejects(out('app1'), /"app1" is not backend\/server/);
  },
);

test('of two hosts that begin at the same moment at most one goes out', { skip }, async () => {
  await using site = await Site.open();
  const ends = await Promise.allSettled([
    site.traffic().out('web', never),
    site.traffic().out('other', never),
  ]);
  assert.ok(ends.some(({ status }) => status === 'rejected'));
  await until('somebody serves', () =>
    site
      .serves('app1')
      .then(async (isOne) => isOne || (await site.serves('app2')) || site.serves('app1', 'app2')),
  );
});

for (const keepsState of [false, true]) {
  const how = keepsState ? 'with' : 'without';
  test(
    `a reload of HAProxy ${how} a server-state-file does not bring back who is out`,
    { skip },
    async () => {
      await using site = await Site.open({ keepsState });
      const traffic = site.traffic();
      await traffic.out('web', never);
      await site.haproxy.reload();
      await until('it is out again', async () => (await traffic.look('web', 100, never)).isOut);
      const forgot = site.said.filter((text) => text.includes('had forgotten that web/app1 is out'));
      assert.equal(forgot.length, keepsState ? 0 : 1);
      assert.ok(await site.serves('app2'));
      await traffic.in('web', 100, never);
      await until('both serve', () => site.serves('app1', 'app2'));
      await site.haproxy.reload();
      await until('both serve after it', () => site.serves('app1', 'app2'));
    },
  );
}

test(
  'a reload that knows only what was before does not take out who has just come back',
  { skip },
  async () => {
    await using site = await Site.open({ keepsState: true });
    const traffic = site.traffic();
    await traffic.out('web', never);
    const before = await site.haproxy.ask('show servers state');
    await traffic.in('web', 10, never);
    await site.haproxy.reload(before);
    await until('it is in again', async () => !(await traffic.look('web', 100, never)).isOut);
    assert.match((await traffic.look('web', 100, never)).places[0]!, /weight 10,/);
    assert.ok(
      site.said.some((text) => text.endsWith('had forgotten that web/app1 is in, with 10 % of its weight')),
    );
    await traffic.in('web', 100, never);
    await traffic.out('other', never); // so that it goes on to look
    const { length } = site.said;
    let own = 0;
    const askedByOthers = async (): Promise<number> =>
      Number(/^CumConns: (\d+)$/m.exec(await site.haproxy.ask('show info'))![1]) - ++own;
    await site.haproxy.ask('set server web/app1 state maint');
    for (const what of ['it has looked', 'it has looked at the next one']) {
      const begun = await askedByOthers();
      await until(what, async () => (await askedByOthers()) >= begun + 12);
      await site.haproxy.reload();
      own = 0;
    }
    assert.deepEqual(
      [(await traffic.look('web', 100, never)).isOut, site.said.length],
      [true, length],
      'by hand',
    );
  },
);

test(
  'of two HAProxies one does not answer when a host comes back: the other lets it in, and it does, too, when it answers again',
  { skip },
  async () => {
    await using site = await Site.open();
    const folder = join(site.folder, 'other');
    const backends = { web: { port: await freePort(), servers: site.ports } };
    await using other = await Haproxy.start({ folder, backends });
    const traffic = site.traffic({ sockets: [other.socket, site.haproxy.socket] });
    await until('both know both', async () => !/,DOWN,/.test(await other.ask('show stat')));
    await traffic.out('web', never);
    const resume = await other.pause();
    try {
      await assert.rejects(traffic.in('web', 100, never), (error: UpkeepError) => {
        assert.equal(error.message, `Cannot let "web/app1" in: ${other.socket}: no answer within 3 s`);
        const command = `echo "set server web/app1 state ready" | socat stdio ${other.socket}`;
        assert.ok(error.hint!.endsWith(`; it is let in as soon as that is possible, or by hand: ${command}`));
        return true;
      });
      assert.ok(await site.serves('app1', 'app2'));
      traffic.leave();
    } finally {
      resume();
    }
    const there = site.traffic({ sockets: [other.socket] });
    await until('it is in there as well', async () => !(await there.look('web', 100, never)).isOut);
  },
);

test('a service that cannot be let in keeps no other one out', { skip }, async () => {
  await using site = await Site.open();
  const before = site.traffic();
  await before.out('other', never);
  before.close();
  const traffic: HaproxySpec = {
    type: 'haproxy',
    sockets: [site.haproxy.socket],
    servers: { web: 'web/app3', more: 'web/app4', other: 'web/app2' },
    canaryWeight: 10,
    drainMs: 10_000,
    allowLast: false,
  };
  const spec = releaseSpec({ name: 'web', folder: site.folder, traffic });
  const services = ['web', 'more', 'other'].map((name) => ({ ...spec.services[0]!, name }));
  const outside = new OutsideTraffic({ ...spec, services }, systemClock);
  const context = { say: () => undefined, note: () => undefined, signal: never };
  await assert.rejects(outside.in(100, context), (error: UpkeepError) => {
    assert.match(error.message, /^Cannot let "web\/app3" in: .+; Cannot let "web\/app4" in: /);
    return true;
  });
  outside.close();
  await until('both serve', () => site.serves('app1', 'app2'));
});

function outsideOf(site: Site): OutsideTraffic {
  const traffic: HaproxySpec = {
    type: 'haproxy',
    sockets: [site.haproxy.socket],
    servers: { web: 'web/app1' },
    canaryWeight: 10,
    drainMs: 10_000,
    allowLast: false,
  };
  return new OutsideTraffic(releaseSpec({ name: 'web', folder: site.folder, traffic }), systemClock);
}

test('whoever takes nothing out lets nothing in, and says what is out', { skip }, async () => {
  await using site = await Site.open();
  const outside = outsideOf(site);
  const context = { say: () => undefined, note: () => undefined, signal: never };
  assert.deepEqual(await outside.inUnlessOut(context), []);
  await site.haproxy.ask('set server web/app1 state maint');
  const again = `echo "set server web/app1 state ready" | socat stdio ${site.haproxy.socket}`;
  assert.deepEqual(await outside.inUnlessOut(context), [
    `web stays out of traffic, as it was; let it in: ${again}`,
  ]);
  assert.ok(await site.serves('app2'));
});

test(
  'a server that haproxy.cfg disables is out until it is let in, and then it is in',
  { skip },
  async () => {
    await using site = await Site.open({ disabled: ['app1'] });
    const traffic = site.traffic();
    assert.equal((await traffic.look('web', 100, never)).isOut, true);
    await traffic.in('web', 100, AbortSignal.timeout(20_000));
    const { isOut, out } = await traffic.look('web', 100, never);
    assert.deepEqual([isOut, out], [false, null]);
    await until('both serve', () => site.serves('app1', 'app2'));
  },
);

test('who could not be let in is so by the rollback that comes next', { skip }, async () => {
  await using site = await Site.open();
  const failed = outsideOf(site);
  const context = { say: () => undefined, note: () => undefined, signal: never };
  await failed.out(context);
  const resume = await site.haproxy.pause();
  try {
    await assert.rejects(failed.in(100, context), /no answer within 3 s/);
    failed.leave();
    assert.ok(failed.owes);
  } finally {
    resume();
  }
  assert.deepEqual(await failed.inAtLast(context), []);
  assert.ok(!failed.owes);
  assert.equal((await site.traffic().look('web', 100, never)).isOut, false);
  failed.close();
});

test('a share that rounds to nothing is refused, and what is out stays out', { skip }, async () => {
  await using site = await Site.open({ weight: 1 });
  const traffic = site.traffic();
  const isTold = (what: string) => (error: UpkeepError) => {
    const fact = '10 % of its weight of 1 is less than 1: it would get no traffic';
    assert.equal(error.message, `Cannot ${what}: ${fact}`);
    assert.equal(error.hint, 'give servers of web a weight of 100 in haproxy.cfg: default-server weight 100');
    return true;
  };
  await assert.rejects(traffic.look('web', 10, never), isTold('look at "web/app1"'));
  await traffic.out('web', never);
  await assert.rejects(traffic.in('web', 10, never), isTold('let "web/app1" in'));
  assert.equal((await traffic.look('web', 100, never)).isOut, true);
  await traffic.in('web', 100, never);
  await until('both serve', () => site.serves('app1', 'app2'));
});

test(
  'a weight that somebody has given it by hand is what it has afterwards, too, and a canary gets no more',
  { skip },
  async () => {
    await using site = await Site.open();
    const weight = async (): Promise<string> =>
      / weight (\d+),/.exec((await site.traffic().look('web', 100, never)).places[0]!)![1]!;
    for (const [usual, canary] of [
      ['50', '10'],
      ['5', '5'],
      ['200', '10'],
    ] as const) {
      await site.haproxy.ask(`set weight web/app1 ${usual}`);
      const traffic = site.traffic();
      await traffic.out('web', never);
      await traffic.in('web', 10, never);
      assert.equal(await weight(), canary);
      await traffic.in('web', 100, never);
      assert.equal(await weight(), usual);
      traffic.close();
      await site.traffic().in('web', 100, never); // as by a rollback
      assert.equal(await weight(), usual);
    }
    await site.traffic().in('web', 10, never);
    await site.haproxy.ask('set weight web/app1 10%'); // as a canary is left by a daemon that was killed
    await site.traffic().in('web', 100, never);
    assert.equal(await weight(), '100');
  },
);

test('a canary gets its share, and all of it later', { skip }, async () => {
  await using site = await Site.open();
  const traffic = site.traffic();
  await traffic.out('web', never);
  await traffic.in('web', 10, never);
  const share = async (): Promise<number> => {
    let own = 0;
    for (let times = 0; times < 110; times++) if ((await visit(site.port)) === 'app1') own++;
    return own;
  };
  const [few, many] = [await share(), await traffic.in('web', 100, never).then(share)];
  assert.ok(few >= 5 && few <= 20, `${few} of 110`);
  assert.ok(many >= 45 && many <= 65, `${many} of 110`);
});

test(
  'what is wrong is told with socket, server, answer and next step, and nothing was changed',
  { skip },
  async () => {
    await using site = await Site.open();
    const refused = (spec: Partial<HaproxySpec>, service = 'web'): Promise<string> =>
      site
        .traffic(spec)
        .out(service, never)
        .then(
          () => 'nothing',
          (error: UpkeepError) => `${error.message}\n${error.hint}`,
        );
    const { socket } = site.haproxy;
    assert.equal(
      await refused({ servers: { web: 'web/app3' } }),
      `Cannot take "web/app3" out of traffic: ${socket} answers: there is no such server\ndid you mean "web/app1"?`,
    );
    assert.equal(
      await refused({ servers: { web: 'shop/app1' } }),
      `Cannot take "shop/app1" out of traffic: ${socket} answers: No such proxy\nsee what it has: echo "show servers state" | socat stdio ${socket}`,
    );
    assert.match(
      await refused({}, 'h5'),
      /^Cannot switch the traffic of "h5": traffic.haproxy.servers does not name its server\n/,
    );
    assert.match(await refused({ servers: { web: 'web/app1;disable' } }), /is not backend\/server/);
    const gone = join(site.folder, 'gone.sock');
    assert.match(
      await refused({ sockets: [socket, gone] }),
      /^Cannot take "web\/app1" out of traffic: .*gone\.sock: connect ENOENT .*\nis HAProxy running\? haproxy\.cfg needs: stats socket .*gone\.sock mode 660 level admin$/,
    );
    assert.ok(await site.serves('app1', 'app2'), 'the other one of two sockets was not touched');
  },
);

test('a socket that may not change anything says so', { skip }, async () => {
  await using site = await Site.open({ level: 'user' });
  await assert.rejects(site.traffic().out('web', never), (error: UpkeepError) => {
    assert.match(error.message, /haproxy\.sock answers: Permission denied$/);
    assert.match(error.hint!, /level admin$/);
    return true;
  });
  await assert.rejects(site.traffic().look('web', 100, never), (error: UpkeepError) => {
    assert.match(error.message, /^Cannot look at "web\/app1": .+haproxy\.sock answers: its level is user$/);
    assert.match(error.hint!, /level admin$/);
    return true;
  });
});

test('what is let in and does not come up is told with what HAProxy says', { skip }, async () => {
  await using site = await Site.open();
  const traffic = site.traffic();
  await traffic.out('web', never);
  await site.kill('app1');
  await assert.rejects(traffic.in('web', 100, AbortSignal.timeout(1500)), /timeout/);
  await site.start('app1');
  await traffic.in('web', 100, never);
  await until('both serve', () => site.serves('app1', 'app2'));
});

test('a socket that hears and does not answer is not waited for for ever', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-traffic-'));
  const deaf = createServer().listen(join(folder, 'deaf.sock'));
  try {
    const spec: HaproxySpec = {
      type: 'haproxy',
      sockets: [join(folder, 'deaf.sock')],
      servers: { web: 'web/app1' },
      canaryWeight: 10,
      drainMs: 0,
      allowLast: false,
    };
    const traffic = createTraffic(spec, { clock: systemClock, group: 'shop', onProgress: () => undefined });
    await assert.rejects(traffic.out('web', never), /deaf\.sock: no answer within 3 s/);
  } finally {
    deaf.close();
    rmSync(folder, { recursive: true });
  }
});

test('commands are told what to do by their environment, and judged by how they end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-traffic-'));
  try {
    const log = join(folder, 'log');
    const script = join(folder, 'switch.sh');
    const commandTraffic = (text: string, timeoutMs = 10_000): Traffic => {
      writeFileSync(script, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const hook = { run: [script, 'edge 1'], timeoutMs, cwd: folder };
      return createTraffic(
        { type: 'command', out: hook, in: hook },
        { clock: systemClock, group: 'shop', onProgress: () => undefined },
      );
    };
    const traffic = commandTraffic(
      `echo "$UPKEEP_GROUP $UPKEEP_SERVICE $UPKEEP_TRAFFIC $UPKEEP_TRAFFIC_SHARE $1" >>log`,
    );
    await traffic.out('web', never);
    await traffic.in('web', 10, never);
    assert.equal(readFileSync(log, 'utf8'), 'shop web out 0 edge 1\nshop web in 10 edge 1\n');
    assert.deepEqual(await traffic.look('web', 100, never), {
      isOut: null,
      out: null,
      last: null,
      places: [],
    });

    const bad = commandTraffic('echo "the edge says: token=hunter2 is wrong" >&2; exit 3');
    await assert.rejects(bad.out('web', never), {
      message: `Cannot take "web" out of traffic: ${script} ended with exit code 3: the edge says: token=[hidden]`,
    });
    const slow = commandTraffic(`sleep 600 & echo $! >${log}; wait`, 300);
    await assert.rejects(slow.in('web', 100, never), /Cannot let "web" in: .* has not ended within 300ms/);
    const child = Number(readFileSync(log, 'utf8'));
    await until('what it had started is gone', () => !lives(child));
    rmSync(script);
    const missing = createTraffic(
      { type: 'command', out: { run: [script], timeoutMs: 1000 }, in: { run: [script], timeoutMs: 1000 } },
      { clock: systemClock, group: 'shop', onProgress: () => undefined },
    );
    await assert.rejects(missing.out('web', never), /ENOENT/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function lives(pid: number): boolean {
  try {
    // A zombie is nobody's trouble; only the state stands behind the name.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // gone
  }
}
