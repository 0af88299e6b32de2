/** The sockets that the service holds for its processes, and which of them an application means when it listens. */
import type { PreloadSocket } from '../protocol/index.js';
import { attempt } from './attempt.js';
import { Descriptor } from './descriptor.js';
import type { Handle, NetInternals, Place } from './internals.js';
import { fs, net, path } from './node.js';

const UNIX = 'unix:';

/** Node's own; the module's property is replaced later. */
export const createServerHandle = (net as unknown as NetInternals)._createServerHandle;

export class HeldSocket {
  readonly spec: PreloadSocket;
  private readonly descriptors: readonly Descriptor[];
  private uses: { readonly handle: Handle; readonly address: string | null }[] = [];

  constructor(spec: PreloadSocket) {
    this.spec = spec;
    const descriptors = spec.fds.map((fd) => Descriptor.of(fd, (stats) => stats.isSocket()));
    this.descriptors = descriptors.filter((descriptor): descriptor is Descriptor => descriptor !== null);
  }

  /** A server for each family is nothing unusual: both get the socket of a declared port. */
  isInUseAt(address: string | null): boolean {
    return this.uses.some((use) => isOpen(use.handle) && (use.address === address || !this.spec.any));
  }

  /** The descriptors that nobody has closed. */
  get fds(): readonly number[] {
    return this.descriptors.filter(({ isIntact }) => isIntact).map(({ fd }) => fd);
  }

  isMeantBy({ address, port }: Place): boolean {
    const { host } = this.spec;
    if (host.startsWith(UNIX)) return port === -1 && isSocketAt(host.slice(UNIX.length), address);
    if (port !== this.spec.port) return false;
    return this.spec.any || (address ? address.toLowerCase() === host : isUnspecified(host));
  }

  /** Whatever the number of its descriptor: a worker of cluster gets it from the primary. */
  isBehind(handle: Handle): boolean {
    const { fd } = handle;
    return typeof fd === 'number' && this.descriptors.some((descriptor) => descriptor.isSameAs(fd));
  }

  /** The next descriptor as a handle; null when all are used up. */
  open(address: string | null): Handle | null {
    for (const fd of this.fds) {
      if (this.uses.some(({ handle }) => handle.fd === fd)) continue;
      const handle = createServerHandle(null, null, null, fd);
      if (typeof handle === 'number') continue;
      this.use(handle, address);
      return handle;
    }
    return null;
  }

  /** The application has opened it by the number of its descriptor. */
  adopt(handle: Handle): void {
    if (!this.uses.some((use) => use.handle === handle)) this.use(handle, null);
  }

  private use(handle: Handle, address: string | null): void {
    this.uses = this.uses
      .filter((use) => isOpen(use.handle) && use.handle !== handle)
      .concat({ handle, address });
  }
}

export function isOpen(handle: Handle): boolean {
  return typeof handle.fd === 'number' && handle.fd >= 0;
}

/** Where there is no IPv6, Node takes the other one. */
function isUnspecified(host: string): boolean {
  return host === '::' || (host === '0.0.0.0' && !fs.existsSync('/proc/net/if_inet6'));
}

/** Many applications remove the file before they listen: what is held cannot be reached by it any more. */
function isSocketAt(held: string, address: string | null): boolean {
  if (address === null || path.resolve(address) !== held) return false;
  return attempt(() => fs.lstatSync(held).isSocket()) === true;
}
