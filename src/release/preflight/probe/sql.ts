/** Asks a database whether it lets the application in, by the driver that the application brings. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProbeLine, ProbeTask } from './task.js';

const PING = 'SELECT 1';

interface Driver {
  /** What is imported. */
  readonly module: string;
  ask(loaded: unknown, url: string): Promise<unknown>;
}

interface Connection {
  query(text: string): Promise<unknown>;
}
interface Pg {
  readonly Client: new (options: { connectionString: string }) => Connection & { connect(): Promise<void> };
}
type Postgres = (url: string, options: { max: number }) => { unsafe(text: string): Promise<unknown> };
interface Mysql {
  createConnection(url: string): Promise<Connection>;
}

const PG: Driver = {
  module: 'pg',
  async ask(loaded, url) {
    const client = new (loaded as Pg).Client({ connectionString: url });
    await client.connect();
    await client.query(PING);
  },
};
const POSTGRES: Driver = {
  module: 'postgres',
  ask: (loaded, url) => (loaded as Postgres)(url, { max: 1 }).unsafe(PING),
};
const MYSQL2: Driver = {
  module: 'mysql2/promise',
  ask: (loaded, url) => askMysql(loaded, url.replace(/^mariadb:/, 'mysql:')),
};
const MARIADB: Driver = {
  module: 'mariadb',
  ask: (loaded, url) => askMysql(loaded, url.replace(/^mysql:/, 'mariadb:')),
};

async function askMysql(loaded: unknown, url: string): Promise<void> {
  const connection = await (loaded as Mysql).createConnection(url);
  await connection.query(PING);
}

/** By the protocol of the URL; the first one that is there is asked. */
const DRIVERS: Readonly<Record<string, readonly Driver[]>> = {
  'postgres:': [PG, POSTGRES],
  'postgresql:': [PG, POSTGRES],
  'mysql:': [MYSQL2, MARIADB],
  'mariadb:': [MARIADB, MYSQL2],
};

export async function askDatabase({
  folder,
  key,
  env,
}: Extract<ProbeTask, { task: 'sql' }>): Promise<ProbeLine> {
  const url = env[key] ?? '';
  const drivers = DRIVERS[/^\w+:(?=\/\/)/.exec(url)?.[0] ?? ''];
  if (!drivers) {
    const hint = `set ${key} to postgres://, mysql:// or mariadb://, or ask by a command`;
    return { fault: 'its value is not the URL of a database that is known', hint };
  }
  const found = drivers.map((driver) => ({ ...driver, path: pathOf(driver.module, folder) }));
  const driver = found.find(({ path }) => path !== undefined);
  if (!driver) {
    const names = drivers.map(({ module }) => nameOf(module)).join(' nor ');
    return { fault: `the release has neither ${names}`, hint: 'install one of them, or ask by a command' };
  }
  const name = nameOf(driver.module);
  try {
    const loaded = (await import(pathToFileURL(driver.path!).href)) as { default?: unknown };
    await driver.ask(loaded.default ?? loaded, url);
    return { answered: name };
  } catch (error) {
    return { fault: `${name}: ${wordError(error)}`, hint: hintTo(error) };
  }
}

function pathOf(module: string, folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'package.json')).resolve(module);
  } catch {
    return undefined; // it is not installed
  }
}

function nameOf(module: string): string {
  return module.split('/')[0]!;
}

/** By SQLSTATE of PostgreSQL, or the names that MySQL gives to its errors: messages quote users, hosts and databases. */
const WORDS: readonly [codes: RegExp, words: string, hint: string][] = [
  [
    /^(?:28\w{3}|ER_ACCESS_DENIED_\w+|ER_NOT_SUPPORTED_AUTH_MODE)$/,
    'it refuses the user or the password',
    'correct both, or what the server allows (pg_hba.conf, GRANT)',
  ],
  [
    /^(?:3D000|ER_BAD_DB_ERROR|ER_DBACCESS_DENIED_ERROR)$/,
    'there is no such database, or not for this user',
    'create it, or correct its name',
  ],
  [
    /^(?:53300|ER_CON_COUNT_ERROR|ER_TOO_MANY_USER_CONNECTIONS)$/,
    'it has no connection left',
    'raise its limit, or make the pools of the services smaller',
  ],
  [/^57P03$/, 'it is starting up or shutting down', 'wait until it is up'],
];

function wordError(error: unknown): string {
  const code = codeOf(error);
  const known = WORDS.find(([codes]) => codes.test(code));
  return known ? `${known[1]} (${code})` : code;
}

function hintTo(error: unknown): string {
  const code = codeOf(error);
  const known = WORDS.find(([codes]) => codes.test(code));
  return (
    known?.[2] ??
    (NETWORK.test(code)
      ? 'see that it listens there, and that no firewall is between'
      : 'see what its log says')
  );
}

const NETWORK = /^(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** A message may quote values. Several addresses that were tried are one error with many in it. */
function codeOf(error: unknown): string {
  const { code, name, errors } = error as { code?: unknown; name?: unknown; errors?: readonly unknown[] };
  if (code === undefined && errors?.[0] !== undefined) return codeOf(errors[0]);
  return [code, name, 'unknown'].find(
    (word) => typeof word === 'string' && /^\w{1,60}$/.test(word),
  ) as string;
}
