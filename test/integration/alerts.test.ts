/** Whoever is to be told is told: by receivers that fail, hang and come back, and by daemons that are killed meanwhile. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AlertConfig } from '../../src/config/index.js';
import type { Notice } from '../../src/protocol/index.js';
import { freePort, Rig } from '../rig/index.js';

const FAILS = { command: ['/bin/sh', '-c', 'echo no luck >&2; exit 7'], restart: 'never' } as const;
const SECRET = 'T0KEN-of-the-hook';

/** A webhook that answers as it is told. */
class Receiver implements AsyncDisposable {
  readonly taken: Notice[] = [];
  readonly tried: Notice[] = [];
  readonly #server = createHttpServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => this.#answer(JSON.parse(text) as Notice, response));
  });
  manner: 'takes' | 'fails' | 'hangs' | 'takes others' = 'takes';

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    await listen(receiver.#server);
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}/services/${SECRET}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(notice: Notice, response: ServerResponse): void {
    this.tried.push(notice);
    if (this.manner === 'hangs') return;
    const isRefused = this.manner === 'takes others' && notice.service === 'one';
    const isTaken = this.manner !== 'fails' && !isRefused;
    if (isTaken) this.taken.push(notice);
    response.writeHead(isTaken ? 204 : isRefused ? 400 : 503).end();
  }
}

/** For localhost, and not for long. */
const SERVES_TLS = `
  const { execFileSync } = require('node:child_process');
  const [key, cert] = ['key.pem', 'cert.pem'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, '-subj', '/CN=shop.example', '-days', '5'], { stdio: 'ignore' });
  const [keyText, certText] = [key, cert].map((name) => require('node:fs').readFileSync(name));
  require('node:https').createServer({ key: keyText, cert: certText }, (request, response) => response.end('well')).listen(process.env.PORT);
`;

async function up(rig: Rig, alerts: Record<string, AlertConfig>, services: object): Promise<void> {
  const file = rig.write('upkeep.config.json', JSON.stringify({ alerts, services }));
  await rig.cli('up', file); // it fails where a service does
}

test('a webhook that fails gets each notice when it is well again, in their order', async () => {
  await using receiver = await Receiver.open();
  await using rig = await Rig.create();
  receiver.manner = 'fails';
  await up(
    rig,
    { ops: { webhook: receiver.url } },
    { one: FAILS, two: FAILS, quiet: { ...FAILS, alerts: false } },
  );
  await rig.until('it was tried', () => receiver.tried.length > 0);
  await rig.until('the failure is shown', async () => {
    const [alert] = await rig.client.call('alerts');
    return alert!.failure === 'it answered 503' && alert!.pending >= 2;
  });
  const outputs = await Promise.all(
    [['alerts'], ['alerts', '--json'], ['show', 'one', '--json'], ['events'], ['diff']].map((args) =>
      rig.cli(...args),
    ),
  );
  for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(SECRET));
  receiver.manner = 'takes';
  await rig.until('nothing waits', async () => (await rig.client.call('alerts'))[0]!.pending === 0);

  const crashes = receiver.taken.filter(({ kind }) => kind === 'crash');
  assert.deepEqual(new Set(crashes.map(({ service }) => service)), new Set(['one', 'two']));
  assert.equal(crashes.length, 2);
  assert.match(crashes[0]!.subject, /^\[.+\] (one|two)\.0 ended: exit code 7$/);
  assert.equal(new Set(receiver.taken.map(({ id }) => id)).size, receiver.taken.length);
  const times = receiver.taken.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted());
});

test('a notice that is refused holds up no other, and is sent again', async () => {
  await using receiver = await Receiver.open();
  await using rig = await Rig.create();
  receiver.manner = 'takes others';
  const alerts = { ops: { webhook: receiver.url, on: ['crash'] } } satisfies Record<string, AlertConfig>;
  await up(rig, alerts, { one: FAILS });
  const states = async (): Promise<[string | null, number]> => {
    const [alert] = await rig.client.call('alerts');
    return [alert!.failure, alert!.pending];
  };
  await rig.until('it was refused', async () => (await states()).join() === 'it answered 400,1');
  await up(rig, alerts, { one: FAILS, two: FAILS });
  await rig.until('another one was taken', () => receiver.taken.some(({ service }) => service === 'two'));
  assert.equal((await states())[1], 1);
  receiver.manner = 'takes';
  await rig.until('it was taken', async () => (await states()).join() === ',0');
  assert.deepEqual(
    receiver.taken.map(({ service, isRepeated }) => [service, isRepeated]),
    [
      ['two', false],
      ['one', true],
    ],
  );
});

test('what hangs when the daemon is killed is sent by the next one, with the same id and as a repetition', async () => {
  await using receiver = await Receiver.open();
  await using rig = await Rig.create();
  receiver.manner = 'hangs';
  await up(rig, { ops: { webhook: receiver.url, on: ['crash'] } }, { one: FAILS });
  const [first] = await rig.until('it is on its way', () => receiver.tried.length > 0 && receiver.tried);

  await rig.crashDaemon();
  receiver.manner = 'takes';
  await rig.untilAnswering();

  const [taken] = await rig.until('it has arrived', () => receiver.taken.length > 0 && receiver.taken);
  assert.deepEqual([first!.isRepeated, taken!.isRepeated, taken!.id], [false, true, first!.id]);
});

test('what ended while no daemon lived is told by the next one', async () => {
  await using receiver = await Receiver.open();
  await using rig = await Rig.create();
  await up(rig, { ops: { webhook: receiver.url, on: ['crash'] } }, { api: rig.puppet() });
  const puppet = await rig.enter('api');
  await rig.killDaemon();
  await puppet.crash('SIGSEGV');
  await rig.startDaemon();
  const [notice] = await rig.until('it was told', () => receiver.taken.length > 0 && receiver.taken);
  assert.match(notice!.subject, /api\.0 ended: ended by SIGSEGV/);
});

test('a command and a mail server are told, in the words of a template', async () => {
  await using rig = await Rig.create();
  const mails: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.write('220 here\r\n');
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const isOver = text.endsWith('\r\n.\r\n');
      if (isOver) mails.push(text);
      const word = chunk.toString().slice(0, 4);
      if (word === 'DATA') socket.write('354 go on\r\n');
      else if (word === 'QUIT') socket.end('221 bye\r\n');
      else if (isOver || /^(EHLO|MAIL|RCPT)/.test(word)) socket.write('250 ok\r\n');
    });
  });
  await listen(server);
  server.unref();
  const file = join(rig.folder, 'told');
  const alerts = {
    note: { command: ['/bin/sh', '-c', `cat >>${file}`], text: '{service} said {detail}' },
    mail: {
      email: { to: 'ops@example.com', smtp: { host: '127.0.0.1', port: portOf(server) } },
      subject: '{kind}',
    },
  };
  writeFileSync(file, '');
  await up(rig, alerts, { one: { script: 'sleeper.sh', alerts: ['mail', 'note'] } });
  rig.write('sleeper.sh', 'exec sleep 1000');
  await up(rig, alerts, { one: { script: 'sleeper.sh', alerts: ['mail', 'note'] } });
  const { code, stdout } = await rig.cli('alerts', 'test', 'mail');
  assert.deepEqual([code, stdout], [0, 'mail: ops@example.com took it\n']);
  assert.match(mails.join('\n'), /^To: ops@example\.com\r$[^]*^Nothing is wrong/m);

  process.kill((await rig.instance('one')).pid!, 'SIGABRT');
  await rig.until('both were told', () => mails.length > 1 && readFileSync(file, 'utf8').includes('\n'));
  assert.match(mails[1]!, /^Subject: crash\r$/m);
  const notice = JSON.parse(readFileSync(file, 'utf8')) as Notice;
  assert.equal(notice.text, 'one said ended by SIGABRT, not sent by upkeep');
});

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

test('a certificate that expires soon is told with its place, and not looked at where no check asks by https', async () => {
  await using receiver = await Receiver.open();
  await using rig = await Rig.create();
  const [port, other] = [await freePort(), await freePort()];
  rig.write('shop.cjs', SERVES_TLS);
  const service = (its: number): object => ({ script: 'shop.cjs', port: its, env: { PORT: String(its) } });
  const health = { http: `https://localhost:${port}/`, interval: '200ms' };
  await up(
    rig,
    { ops: { webhook: receiver.url, on: ['certificate'] } },
    {
      shop: { ...service(port), health },
      quiet: { ...service(other), health: { port: true, interval: '200ms' } },
    },
  );
  const notice = await rig.until('it is told', () => receiver.taken[0]);
  assert.deepEqual([notice.kind, notice.service, notice.phase], ['certificate', 'shop', 'problem']);
  assert.match(
    notice.subject,
    new RegExp(`the one for shop.example at localhost:${port} expires on \\d{4}-`),
  );
  const { stdout } = await rig.cli('events', 'shop');
  assert.match(stdout, /the certificate for shop\.example at localhost, port \d+, expires soon: \d{4}/);
  assert.deepEqual(
    (await rig.events('quiet')).filter(({ type }) => type === 'certificate'),
    [],
  );
  await rig.request({ kind: 'stop', services: ['shop'] });
  const isOver = async (): Promise<boolean> =>
    (await rig.events('shop')).some((event) => event.type === 'certificate' && !event.isExpiring);
  await rig.until('it is over', isOver);
});
