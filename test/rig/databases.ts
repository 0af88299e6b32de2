/** Debian's PostgreSQL and MariaDB, each with the user and the database `app`, on a port of their own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';
import { isListening } from './visit.js';

const POSTGRES_VERSIONS = '/usr/lib/postgresql';
const MARIADB = '/usr/sbin/mariadbd';

/** Where they have to be, their absence is a failure. */
export function unlessDatabases(): string | false {
  const isThere = existsSync(POSTGRES_VERSIONS) && existsSync(MARIADB);
  return isThere || process.env['CI'] ? false : 'no databases: apt-get install postgresql mariadb-server';
}

export class Database implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, port: number, [program, ...args]: readonly string[], owner: Owner) {
    this.port = port;
    this.#folder = folder;
    this.#process = spawn(program!, args, { stdio: 'ignore', cwd: folder, ...owner });
  }

  static async postgres(password: string): Promise<Database> {
    const bin = join(
      POSTGRES_VERSIONS,
      readdirSync(POSTGRES_VERSIONS)
        .sort((a, b) => Number(a) - Number(b))
        .at(-1)!,
      'bin',
    );
    // It does not run as root.
    const owner = process.getuid!() === 0 ? ownerOf('postgres') : {};
    const { folder, port, data } = await place(owner);
    const secret = join(folder, 'password');
    writeFileSync(secret, password);
    if (owner.uid !== undefined) chownSync(secret, owner.uid, owner.gid!);
    const options = { stdio: 'ignore', cwd: folder, ...owner } as const;
    const words = ['--no-sync', '--auth=scram-sha-256', '--username=app', `--pwfile=${secret}`];
    execFileSync(join(bin, 'initdb'), ['-D', data, ...words], options);
    const settings = ['listen_addresses=127.0.0.1', 'fsync=off', `unix_socket_directories=${folder}`];
    const args = ['-D', data, '-p', String(port), ...settings.flatMap((each) => ['-c', each])];
    const database = new Database(folder, port, [join(bin, 'postgres'), ...args], owner);
    const psql = { ...options, env: { PATH: process.env['PATH'], PGPASSWORD: password } };
    const create = ['-h', '127.0.0.1', '-p', String(port), '-U', 'app', 'app'];
    return database.#once('PostgreSQL has made its database', () =>
      succeeds(join(bin, 'createdb'), create, psql),
    );
  }

  static async mariadb(password: string): Promise<Database> {
    const { folder, port, data } = await place({});
    const own = process.getuid!() === 0 ? ['--user=root'] : [];
    const common = ['--no-defaults', `--datadir=${data}`, ...own];
    const install = [...common, '--auth-root-authentication-method=normal', '--skip-test-db'];
    execFileSync('mariadb-install-db', install, { stdio: 'ignore', cwd: folder });
    const begin = join(folder, 'begin.sql');
    const statements = [
      'CREATE DATABASE app',
      `CREATE USER app@'127.0.0.1' IDENTIFIED BY '${password}'`,
      "GRANT ALL ON app.* TO app@'127.0.0.1'",
    ];
    writeFileSync(begin, statements.map((each) => `${each};\n`).join(''));
    const listen = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 'socket')}`];
    const args = [...common, ...listen, '--skip-name-resolve', `--init-file=${begin}`];
    const database = new Database(folder, port, [MARIADB, ...args], {});
    return database.#once('MariaDB listens', () => isListening(port));
  }

  async #once(what: string, look: () => boolean | Promise<boolean>): Promise<this> {
    try {
      await until(what, look);
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGQUIT');
      await once(this.#process, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

function ownerOf(name: string): Owner {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name]).toString());
  return { uid: id('-u'), gid: id('-g') };
}

async function place({ uid, gid }: Owner): Promise<{ folder: string; port: number; data: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-database-'));
  chmodSync(folder, 0o755);
  if (uid !== undefined) chownSync(folder, uid, gid!);
  return { folder, port: await freePort(), data: join(folder, 'data') };
}

function succeeds(program: string, args: readonly string[], options: object): boolean {
  try {
    execFileSync(program, args, options);
    return true;
  } catch {
    return false;
  }
}
