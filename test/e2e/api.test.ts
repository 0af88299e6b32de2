import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { BARE_SPEC } from '../../src/core/index.js';
import {
  ENDPOINTS,
  ERRORS,
  PROTOCOL,
  PROTOCOL_HEADER,
  VERSION_HEADER,
  type ErrorBody,
  type ReleaseRequest,
  type ReleaseSpec,
  type RouteName,
} from '../../src/protocol/index.js';
import { assertConforms, assertRefusalConforms, CLI, makeBuild, Rig } from '../rig/index.js';
import { releaseSpec } from '../rig/release-spec.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** One value, or each of a stream. */
  readonly values: unknown[];
}

test('every route answers as the OpenAPI document says', async () => {
  await using rig = await Rig.create();
  await rig.up({
    api: rig.puppet(),
    broken: { command: ['/bin/sh', '-c', 'echo no; exit 1'], restart: 'never' },
  });
  await (await rig.enter('api')).print('a line');
  await rig.untilLogged('api', 'a line');
  await rig.untilInstance('broken', ({ status }) => status === 'completed');
  const services = await rig.specs({ api: rig.puppet({ instances: 2 }), fresh: rig.puppet() });

  const asked: Record<RouteName, () => Promise<Answer>> = {
    daemon: () => ask(rig, '/v1/daemon'),
    services: () => ask(rig, '/v1/services'),
    service: () => ask(rig, '/v1/services/broken'),
    why: () => ask(rig, '/v1/services/broken/exits?limit=5'),
    tree: () => ask(rig, '/v1/tree'),
    environment: () => ask(rig, '/v1/services/api/environment?reveal=1'),
    diff: () => ask(rig, '/v1/diff', { body: { services } }),
    request: () => ask(rig, '/v1/operations', { body: { kind: 'restart', services: 'all' } }),
    operations: () => ask(rig, '/v1/operations?limit=10'),
    operation: () => ask(rig, '/v1/operations/1?wait=1'),
    abort: async () => {
      const slow = await rig.specs({ slow: rig.puppet({ ready: { log: 'never' } }) });
      const { id } = await rig.accept({ kind: 'up', services: [...slow] });
      return ask(rig, `/v1/operations/${id}/abort`, { body: {} });
    },
    events: () => ask(rig, '/v1/events?limit=1000'),
    samples: () => ask(rig, '/v1/samples'),
    report: () => ask(rig, '/v1/report?since=1h'),
    errors: () => ask(rig, '/v1/errors?muted=1&since=mark'),
    errorKind: async () => ask(rig, `/v1/errors/${await errorId(rig)}`),
    muteError: async () =>
      ask(rig, `/v1/errors/${await errorId(rig)}/mute`, {
        body: { service: 'api', reason: 'known', forMs: null },
      }),
    unmuteError: async () => ask(rig, `/v1/errors/${await errorId(rig)}/unmute`, { body: { service: null } }),
    mark: () => ask(rig, '/v1/marks', { body: { services: ['api'], text: 'a try' } }),
    alerts: () => ask(rig, '/v1/alerts'),
    testAlerts: () => ask(rig, '/v1/alerts/test', { body: { name: null } }),
    requestRelease: () =>
      ask(rig, '/v1/releases', { body: { spec: groupOf(rig), group: 'shop', target: { file: '/nowhere' } } }),
    releases: () => ask(rig, '/v1/releases'),
    release: () => ask(rig, '/v1/releases/1?wait=1'),
    waivedChecks: () => ask(rig, '/v1/waived-checks?limit=10'),
    abortRelease: async () => {
      await rig.client.stream('requestRelease', { body: slowRelease(rig) }).next();
      return ask(rig, '/v1/releases/2/abort', { body: {} });
    },
    rollback: async () => {
      await ask(rig, '/v1/releases/2?wait=1');
      for (const version of ['1.0.0', '2.0.0']) {
        const archive = makeBuild(rig.folder, version).archive;
        await ask(rig, '/v1/releases', {
          body: { spec: groupOf(rig), group: 'shop', target: { file: archive } },
        });
      }
      return ask(rig, '/v1/rollbacks', { body: { group: 'shop' } });
    },
    logs: () => ask(rig, '/v1/logs?service=api&lines=5'),
    upgradeDaemon: () => {
      const body = { root: dirname(dirname(CLI)), node: process.execPath, timeoutMs: 20_000 };
      return ask(rig, '/v1/daemon/upgrade', { body });
    },
    stopDaemon: () => ask(rig, '/v1/daemon/stop', { body: {} }),
  };
  for (const name of Object.keys(asked) as RouteName[]) {
    const { status, headers, values } = await asked[name]();
    assert.equal(status, 200, name);
    assert.equal(headers[PROTOCOL_HEADER], String(PROTOCOL), name);
    assert.ok(values.length > 0, name);
    for (const value of values) assertConforms(name, value);
  }
  assert.deepEqual(Object.keys(asked).sort(), Object.keys(ENDPOINTS).sort());
});

/** Released from files, with nothing to look at. */
function groupOf(rig: Rig, more: Partial<ReleaseSpec> = {}): ReleaseSpec {
  const folder = join(rig.folder, 'shop');
  const argv = [process.execPath, `${folder}/current/server.cjs`];
  const env = { PORT: { value: '0', source: 'test' }, PATH: { value: process.env['PATH']!, source: 'test' } };
  const service = {
    ...BARE_SPEC,
    name: 'shop',
    argv,
    cwd: `${folder}/current`,
    env,
    release: { group: 'shop', folder },
  };
  const smoke = [
    { service: 'shop', check: { on: 'command' as const, argv: ['/bin/true'] }, timeoutMs: 5000 },
  ];
  const { verify } = releaseSpec({ folder });
  return releaseSpec({ folder, services: [service], verify: { ...verify, smoke }, ...more });
}

function slowRelease(rig: Rig): ReleaseRequest {
  const hook = { run: ['/bin/sleep', '60'], timeoutMs: 60_000 };
  const spec = groupOf(rig, { hooks: { ...releaseSpec({ folder: '/' }).hooks, afterStage: [hook] } });
  const { archive } = makeBuild(rig.folder, '0.1.0');
  return { spec, group: 'shop', target: { file: archive }, waive: [], plan: false, force: false };
}

/** Of one that the puppet has. */
async function errorId(rig: Rig): Promise<string> {
  await (await rig.enter('api')).print('Error: out of cheese', 'err');
  return rig.until('the error is known', async () => {
    const { kinds } = await rig.client.call('errors', { query: { muted: '1' } });
    return kinds.find(({ title }) => title.includes('cheese'))?.id;
  });
}

test('whatever is refused is refused with a code of the catalogue and its status', async () => {
  await using rig = await Rig.create();
  const refusals: [code: keyof typeof ERRORS, answer: Promise<Answer>][] = [
    ['route-not-found', ask(rig, '/v1/nonsense')],
    ['route-not-found', ask(rig, '/v1/daemon', { method: 'PUT' })],
    ['service-not-found', ask(rig, '/v1/services/nobody')],
    ['service-not-found', ask(rig, '/v1/logs?service=nobody')],
    ['operation-not-found', ask(rig, '/v1/operations/999')],
    ['bad-request', ask(rig, '/v1/operations?limit=many')],
    ['bad-request', ask(rig, '/v1/logs?stream=sideways')],
    ['bad-request', ask(rig, '/v1/operations', { text: '{' })],
    ['bad-request', ask(rig, '/v1/operations', { body: { kind: 'explode' } })],
    ['bad-request', ask(rig, '/v1/operations', { body: { kind: 'start', services: [] } })],
    ['protocol-mismatch', ask(rig, '/v1/services', { headers: { [PROTOCOL_HEADER]: '999' } })],
    // It would take the object that this answers for a list of exits.
    ['protocol-mismatch', ask(rig, '/v1/services/api/exits', { headers: { [PROTOCOL_HEADER]: '1' } })],
  ];
  for (const [code, answer] of refusals) {
    const { status, values } = await answer;
    assertRefusalConforms(values[0]);
    assert.equal((values[0] as ErrorBody).error.code, code);
    assert.equal(status, ERRORS[code].status);
  }
});

test('a client of another protocol can still see and end the daemon', async () => {
  await using rig = await Rig.create();
  const headers = { [PROTOCOL_HEADER]: '999' };
  for (const protocol of ['999', '1'])
    assert.equal((await ask(rig, '/v1/daemon', { headers: { [PROTOCOL_HEADER]: protocol } })).status, 200);
  assert.equal((await ask(rig, '/v1/daemon/stop', { headers, body: {} })).status, 200);
});

test('a command refuses to talk to a daemon of another protocol, and says what to do', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  await rig.cli('daemon', 'start');
  await rig.cli('daemon', 'stop');
  rmSync(rig.home.socket, { force: true });
  let [protocol, version] = ['999', '99.0.0'];
  const stranger = createServer((_, response) => {
    response.setHeader(PROTOCOL_HEADER, protocol).setHeader(VERSION_HEADER, version).end('[]');
  });
  await new Promise<void>((resolve) => stranger.listen(rig.home.socket, resolve));

  const { code, stderr } = await rig.cli('list');
  [protocol, version] = ['1', '0.0.9'];
  const older = await rig.cli('why', 'api');

  stranger.close();
  assert.deepEqual([code, older.code], [ERRORS['protocol-mismatch'].exit, ERRORS['protocol-mismatch'].exit]);
  assert.match(
    stderr,
    /^Cannot talk to the daemon: it is upkeep 99\.0\.0 with protocol 999, this command is /,
  );
  assert.match(
    older.stderr,
    /^Cannot talk to the daemon: it is upkeep 0\.0\.9 with protocol 1, this command is /,
  );
  assert.match(stderr, /hint: replace the daemon, services go on running: /);
});

interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly text?: string;
}

/** As curl would, without upkeep's own client. */
function ask(rig: Rig, path: string, { method, headers = {}, body, text }: Question = {}): Promise<Answer> {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const options = {
    socketPath: rig.home.socket,
    path,
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (part: string) => (received += part));
      response.on('end', () => {
        const isStream = response.headers['content-type'] === 'text/event-stream';
        const blocks = isStream ? received.split('\n\n').filter(Boolean) : [received];
        const values = blocks.map((block) => JSON.parse(block.replace(/^data: /, '')) as unknown);
        resolve({ status: response.statusCode!, headers: response.headers, values });
      });
    });
    outgoing.on('error', reject).end(content);
  });
}
