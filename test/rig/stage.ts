/** Where puppets come to: a unix socket of the test. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Puppet, type PuppetIdentity } from './puppet.js';

export class Stage {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** All that ever came, in that order. */
  readonly #puppets: Puppet[] = [];

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#welcome(socket));
  }

  static async open(path: string): Promise<Stage> {
    const stage = new Stage(path);
    await once(stage.#server.listen(path), 'listening');
    return stage;
  }

  /** The living puppet of an instance, of a later attempt than `after`. */
  find(service: string, instance: number, after: number): Puppet | undefined {
    return this.#puppets.findLast(({ identity, isConnected }) => {
      const isInstance = identity.service === service && identity.instance === instance;
      return isConnected && isInstance && identity.attempt > after;
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // ECONNRESET: it was killed; 'close' follows
    let puppet: Puppet | undefined;
    createInterface({ input: socket }).on('line', (line) => {
      const message = JSON.parse(line) as PuppetIdentity & { id: number };
      if (puppet) puppet.take(message);
      else this.#puppets.push((puppet = new Puppet(message, socket)));
    });
  }
}
