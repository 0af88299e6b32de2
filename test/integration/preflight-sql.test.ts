import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Database, freePort, unlessDatabases } from '../rig/index.js';
import { ROOT } from '../rig/paths.js';
import { ReleaseHost, type Files, type Judgement } from '../rig/release-host.js';

const skip = unlessDatabases();
/** Planted as the password; in no output. */
const PASSWORD = 'pw-5ecret-c3d4';

/** Installed in the release, as far as it can tell. */
function drivers(...names: readonly string[]): Files {
  const entries = names.map((name): [string, string] => [
    name === 'mysql2' ? 'node_modules/mysql2/promise.js' : `node_modules/${name}/index.js`,
    `module.exports = require(${JSON.stringify(join(ROOT, 'node_modules', name === 'mysql2' ? 'mysql2/promise.js' : name))});\n`,
  ]);
  return Object.fromEntries(entries);
}

type Ask = (url: string | undefined, driver?: string, timeoutMs?: number) => Promise<string>;

/** Answers what the check says; and nobody learns a value. */
function openHost(context: TestContext): Ask {
  const host = new ReleaseHost();
  context.after(() => host.remove());
  return async (url, driver, timeoutMs = 20_000) => {
    const judged: Judgement = await host.judge({
      files: driver === undefined ? {} : drivers(driver),
      env: url === undefined ? {} : { DATABASE_URL: url },
      spec: { requires: [{ on: 'sql', key: 'DATABASE_URL', timeoutMs }] },
    });
    for (const value of [PASSWORD, 'no-such-database']) assert.ok(!judged.said.includes(value), judged.said);
    const { text, hint, verdict } = judged.checks.find(({ name }) => name.startsWith('requires: sql'))!;
    assert.equal(verdict, judged.refusal ? 'failed' : 'passed', text);
    return [text.replace(/ from host "[^"]+"/, ''), ...(hint === undefined ? [] : [hint])].join(' – ');
  };
}

test(
  'PostgreSQL is asked by the driver of the release, as the service will be',
  { skip },
  async (context) => {
    await using server = await Database.postgres(PASSWORD);
    const ask = openHost(context);
    const url = (rest = 'app', password = PASSWORD, port = server.port) =>
      `postgres://app:${password}@127.0.0.1:${port}/${rest}`;
    const closed = await freePort();
    for (const driver of ['pg', 'postgres']) {
      assert.equal(await ask(url(), driver), 'the database of DATABASE_URL answers');
      assert.match(
        await ask(url('app', 'wrong'), driver),
        new RegExp(`: ${driver}: it refuses the user or the password \\(28P01\\) – correct both in the URL$`),
      );
      assert.match(
        await ask(url('no-such-database'), driver),
        /: there is no such database, or not for this user \(3D000\) – create it, or correct its name$/,
      );
      assert.match(
        await ask(url('app', PASSWORD, closed), driver),
        /: \w+: ECONNREFUSED – see that it listens there/,
      );
    }
    assert.equal(
      await ask(url(), 'mysql2'),
      'the database of DATABASE_URL cannot be used: the release has neither pg nor postgres – install one of them, or ask by a command',
    );
  },
);

test('MariaDB is asked by the driver of the release, as the service will be', { skip }, async (context) => {
  await using server = await Database.mariadb(PASSWORD);
  const ask = openHost(context);
  const url = (rest = 'app', password = PASSWORD, port = server.port) =>
    `mysql://app:${password}@127.0.0.1:${port}/${rest}`;
  const closed = await freePort();
  for (const driver of ['mysql2', 'mariadb']) {
    assert.equal(await ask(url(), driver), 'the database of DATABASE_URL answers');
    assert.equal(
      await ask(url().replace('mysql:', 'mariadb:'), driver),
      'the database of DATABASE_URL answers',
    );
    assert.match(
      await ask(url('app', 'wrong'), driver),
      /: it refuses the user or the password \(ER_ACCESS_DENIED_ERROR\)/,
    );
    assert.match(
      await ask(url('no-such-database'), driver),
      /: there is no such database, or not for this user \(ER_/,
    );
    assert.match(
      await ask(url('app', PASSWORD, closed), driver),
      /: \w+: ECONNREFUSED – see that it listens there/,
    );
  }
});

test('who is silent is not waited for for long, and a value that is missing or no URL is told by its name', async (context) => {
  const ask = openHost(context);
  const silent = createServer().listen(0, '127.0.0.1');
  context.after(() => silent.close());
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  assert.equal(
    await ask(`postgres://app:${PASSWORD}@127.0.0.1:${port}/app`, 'pg', 1500),
    'the database of DATABASE_URL cannot be used: no answer within 1500 ms – it is down, slow, or a firewall drops what is sent to it',
  );
  assert.match(await ask(undefined, 'pg'), /: DATABASE_URL is not set for api – set DATABASE_URL under env/);
  assert.match(
    await ask(`${PASSWORD}@db`, 'pg'),
    /: its value is not the URL of a database that is known – set DATABASE_URL to/,
  );
});
