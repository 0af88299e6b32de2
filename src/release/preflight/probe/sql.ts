/** Asks a database whether it lets the application in, by the driver that the application brings. */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ProbeLine, ProbeTask } from './task.js';

const PING = 'SELECT 1';
const LET_GO_MS = 500;

interface Driver {
  /** What is imported. */
  readonly module: string;
  /** Answers how to let go of the connection. */
  ask(loaded: unknown, url: string): Promise<() => Promise<unknown>>;
}

interface Connection {
  query(text: string): Promise<unknown>;
  end(): Promise<unknown>;
}
interface Pg {
  readonly Client: new (options: { connectionString: string }) => Connection & { connect(): Promise<void> };
}
type Postgres = (
  url: string,
  options: { max: number },
) => Pick<Connection, 'end'> & {
  unsafe(text: string): Promise<unknown>;
};
interface Mysql {
  createConnection(url: string): Promise<Connection>;
}

const PG: Driver = {
  module: 'pg',
  async ask(loaded, url) {
    const client = new (loaded as Pg).Client({ connectionString: url });
    await client.connect();
    await client.query(PING);
    return () => client.end();
  },
};
const POSTGRES: Driver = {
  module: 'postgres',
  async ask(loaded, url) {
    const sql = (loaded as Postgres)(url, { max: 1 });
    await sql.unsafe(PING);
    return () => sql.end();
  },
};
const MYSQL2: Driver = {
  module: 'mysql2/promise',
  ask: (loaded, url) => askMysql(loaded, url.replace(/^mariadb:/, 'mysql:')),
};
const MARIADB: Driver = {
  module: 'mariadb',
  ask: (loaded, url) => askMysql(loaded, url.replace(/^mysql:/, 'mariadb:')),
};

async function askMysql(loaded: unknown, url: string): Promise<() => Promise<unknown>> {
  const connection = await (loaded as Mysql).createConnection(url);
  await connection.query(PING);
  return () => connection.end();
}

/** By the protocol of the URL; the first one that is there is asked. */
const DRIVERS: Readonly<Record<string, readonly Driver[]>> = {
  'postgres:': [PG, POSTGRES],
  'postgresql:': [PG, POSTGRES],
  'mysql:': [MYSQL2, MARIADB],
  'mariadb:': [MARIADB, MYSQL2],
};

export async function askDatabase({
  from,
  key,
  env,
}: Extract<ProbeTask, { task: 'sql' }>): Promise<ProbeLine> {
  const url = env[key] ?? '';
  const drivers = DRIVERS[/^\w+:(?=\/\/)/.exec(url)?.[0] ?? ''];
  if (!drivers) {
    const hint = `set ${key} to postgres://, mysql:// or mariadb://, or ask by a command`;
    return { fault: 'its value is not the URL of a database that is known', hint };
  }
  const [first] = drivers.flatMap((driver) => {
    const path = pathOf(driver.module, from);
    return path === undefined ? [] : [{ driver, path }];
  });
  if (!first) {
    const names = drivers.map(({ module }) => nameOf(module)).join(' nor ');
    return { fault: `the release has neither ${names}`, hint: 'install one of them, or ask by a command' };
  }
  const name = nameOf(first.driver.module);
  try {
    const loaded = (await import(pathToFileURL(first.path).href)) as { default?: unknown };
    const letGo = await first.driver.ask(loaded.default ?? loaded, url);
    // A database notes who breaks off.
    await Promise.race([letGo().catch(() => undefined), delay(LET_GO_MS)]);
    return { answered: name };
  } catch (error) {
    const [words, hint] = wordsOf(error);
    return { fault: `${name}: ${words}`, hint };
  }
}

/** As whoever stands in one of these places would find it. */
function pathOf(module: string, from: readonly string[]): string | undefined {
  for (const place of from) {
    try {
      return createRequire(place).resolve(module);
    } catch {
      // it is not installed there
    }
  }
  return undefined;
}

function nameOf(module: string): string {
  return module.split('/')[0]!;
}

/** By SQLSTATE of PostgreSQL, the names that MySQL gives to its errors, or those of Node.js. */
const WORDS: readonly [codes: RegExp, words: string, hint: string][] = [
  [/^(?:28P01|ER_ACCESS_DENIED_\w+)$/, 'it refuses the user or the password', 'correct both in the URL'],
  [
    /^(?:28\w{3}|ER_NOT_SUPPORTED_AUTH_MODE|ER_HOST_NOT_PRIVILEGED)$/,
    'it lets nobody in from here, or not in this way',
    'see what the server allows: pg_hba.conf, GRANT, whether it demands TLS',
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
  [
    /CERT|SELF_SIGNED|^ERR_(?:TLS|SSL)/,
    'its certificate is not trusted',
    'set NODE_EXTRA_CA_CERTS for the service',
  ],
  [/^ERR_INVALID_URL$/, 'the URL is not one', 'escape what is special in its password: # as %23, / as %2F'],
];
const NETWORK = /^(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

function wordsOf(error: unknown): [words: string, hint: string] {
  const code = codeOf(error);
  if (code === undefined) return ['it fails', 'connect by hand with the same URL, and read what it says'];
  const known = WORDS.find(([codes]) => codes.test(code));
  if (known) return [`${known[1]} (${code})`, known[2]];
  const isNetwork = NETWORK.test(code);
  return [
    code,
    isNetwork ? 'see that it listens there, and that no firewall is between' : 'see what the database logs',
  ];
}

/** A message may quote values. Several addresses that were tried are one error with many in it. */
function codeOf(error: unknown): string | undefined {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (code === undefined && errors?.[0] !== undefined) return codeOf(errors[0]);
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : undefined;
}
