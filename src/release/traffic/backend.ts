/** One server of one backend, as one HAProxy has it. */
import { UpkeepError } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { RuntimeSocket } from './runtime-socket.js';
import { parseServers, type ServerView } from './server-view.js';
import { cannot, type Place, type ServerName } from './words.js';

/** Whatever would be another command, or another word of this one, is no name. */
const SERVER_NAME = /^([^\s/;#]+)\/([^\s/;#]+)$/;

export function parseServerName(service: string, text: string | undefined): ServerName {
  const [, backend, name] = SERVER_NAME.exec(text ?? '') ?? [];
  if (backend !== undefined && name !== undefined) return { backend, name };
  const fact =
    text === undefined
      ? 'traffic.haproxy.servers does not name its server'
      : `"${text}" is not backend/server`;
  throw new UpkeepError('release-refused', `Cannot switch the traffic of "${service}": ${fact}`, {
    hint: `write what HAProxy calls it: servers: { ${service}: 'backend/server' }`,
  });
}

interface BackendOptions extends Place {
  readonly socket: RuntimeSocket;
  readonly signal: AbortSignal;
}

export class Backend implements Place {
  readonly socket: RuntimeSocket;
  readonly server: ServerName;
  readonly verb: string;
  readonly #signal: AbortSignal;

  constructor({ socket, server, verb, signal }: BackendOptions) {
    this.socket = socket;
    this.server = server;
    this.verb = verb;
    this.#signal = signal;
  }

  /** The same, whoever has given up meanwhile. */
  forGood(signal: AbortSignal): Backend {
    return new Backend({ socket: this.socket, server: this.server, verb: this.verb, signal });
  }

  /** All of the backend; this one is among them. */
  async servers(): Promise<readonly ServerView[]> {
    const { backend, name } = this.server;
    const stat = await this.#ask(`show stat ${backend} 4 -1`);
    if (!stat.startsWith('#')) throw this.#refused(stat, this.#seeServers());
    const state = await this.#ask(`show servers state ${backend}`);
    const servers = parseServers(stat, state);
    if (servers.some((server) => server.name === name)) return servers;
    const names = servers.map((server) => server.name);
    const similar = mostSimilar(name, names);
    const hint =
      similar === undefined
        ? `it has ${names.join(', ') || 'no servers'}`
        : `did you mean "${backend}/${similar}"?`;
    throw this.#refused('there is no such server', hint);
  }

  async view(): Promise<ServerView> {
    return (await this.servers()).find(({ name }) => name === this.server.name)!;
  }

  /** The process that answers: another one after a reload. */
  async worker(): Promise<string> {
    return /^Pid: (\d+)$/m.exec(await this.#ask('show info'))?.[1] ?? '';
  }

  /** The level may have been given to another socket of the same HAProxy. */
  async refuseUnlessAdmin(): Promise<void> {
    const level = await this.#ask('show cli level');
    // Versions before 1.9 do not know the question.
    if (level === 'user' || level === 'operator')
      throw this.#refused(`its level is ${level}`, this.#needsAdmin);
  }

  /** `state drain`, `weight 10%`. */
  async set(what: string): Promise<void> {
    const name = `${this.server.backend}/${this.server.name}`;
    const command = what.startsWith('weight ')
      ? `set weight ${name} ${what.slice(7)}`
      : `set server ${name} ${what}`;
    const answer = await this.#ask(command);
    if (answer === '') return;
    throw this.#refused(answer, this.#hintTo(answer));
  }

  /** For a person who lets it in by hand. */
  get letInByHand(): string {
    return this.#byHand(`set server ${this.server.backend}/${this.server.name} state ready`);
  }

  get weighByHand(): string {
    return this.#byHand(`set weight ${this.server.backend}/${this.server.name} 100%`);
  }

  get #needsAdmin(): string {
    return `it needs: stats socket ${this.socket.name} level admin`;
  }

  #hintTo(answer: string): string {
    if (/permission denied/i.test(answer)) return this.#needsAdmin;
    if (/static LB/.test(answer))
      return 'use balance roundrobin or leastconn, or traffic.haproxy.canaryWeight: 100';
    return this.#seeServers();
  }

  async #ask(command: string): Promise<string> {
    try {
      return await this.socket.ask(command, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      const hint = `is HAProxy running? haproxy.cfg needs: stats socket ${this.socket.name} mode 660 level admin`;
      throw cannot(this, `${this.socket.name}: ${(error as Error).message}`, { hint, cause: error });
    }
  }

  #refused(answer: string, hint: string): UpkeepError {
    return cannot(this, `${this.socket.name} answers: ${answer.replace(/[.\s]+$/, '').split('\n')[0]}`, {
      hint,
    });
  }

  #seeServers(): string {
    return `see what it has: ${this.#byHand('show servers state')}`;
  }

  #byHand(command: string): string {
    const to = this.socket.name.startsWith('/') ? this.socket.name : `tcp:${this.socket.name}`;
    return `echo "${command}" | socat stdio ${to}`;
  }
}
