/**
 * A registry of npm packages over HTTP, as small as npm, pnpm and yarn take it: the document of a package
 * (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md) and its archives. It counts what it is asked for.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packPackage } from './release-job.js';

interface Published {
  readonly bytes: Buffer;
  readonly integrity: string;
}

export class NpmRegistry {
  /** `name@version`. */
  readonly #published = new Map<string, Published>();
  readonly #server: Server;
  /** Paths, in their order. */
  readonly asked: string[] = [];
  /** How long an archive takes to come. */
  delayMs = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url!, 'http://registry').pathname);
      this.asked.push(path);
      const answer = this.#answer(path);
      const give = (): void =>
        void response.writeHead(answer ? 200 : 404).end(answer ?? '{"error":"not found"}');
      setTimeout(give, path.endsWith('.tgz') ? this.delayMs : 0);
    });
  }

  static async start(): Promise<NpmRegistry> {
    const registry = new NpmRegistry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Archives that were asked for. */
  get downloads(): number {
    return this.asked.filter((path) => path.endsWith('.tgz')).length;
  }

  publish(name: string, version: string, files: Readonly<Record<string, string>>) {
    const packed = packPackage(name, version, files);
    this.#published.set(`${name}@${version}`, packed);
    return {
      name,
      version,
      resolved: `${this.url}${name}/-/${name}-${version}.tgz`,
      integrity: packed.integrity,
    };
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(path: string): Buffer | string | undefined {
    const [, name, version] = /^\/([^/]+)\/-\/\1-(.+)\.tgz$/.exec(path) ?? [];
    if (name !== undefined) return this.#published.get(`${name}@${version}`)?.bytes;
    return this.#document(path.slice(1));
  }

  #document(name: string): string | undefined {
    const own = [...this.#published].filter(([id]) => id.startsWith(`${name}@`));
    if (own.length === 0) return undefined;
    const versions = own.map(([id, { integrity }]) => {
      const version = id.slice(name.length + 1);
      const dist = { tarball: `${this.url}${name}/-/${name}-${version}.tgz`, integrity };
      return [version, { name, version, dist }] as const;
    });
    return JSON.stringify({
      name,
      'dist-tags': { latest: versions.at(-1)![0] },
      versions: Object.fromEntries(versions),
    });
  }
}
