/**
 * Nothing that was printed is lost when the process ends. Node queues in memory what a pipe does not take at once, and
 * forgets it in process.exit() or when it is killed; a pipe that blocks lets the application wait instead. Only for
 * pipes as upkeep and shells make them: between Node and its children are sockets, and a child whose words nobody reads
 * would stop for ever.
 */
import { attempt } from './attempt.js';
import { Descriptor } from './descriptor.js';
import { fs, major } from './node.js';
import { imitate } from './replace.js';

const { openSync, closeSync, constants } = fs;

type OutputName = 'stdout' | 'stderr';

interface OutputStream {
  readonly _type?: string;
  readonly _handle?: { setBlocking?(isBlocking: boolean): number } | null;
}

/** In Node 8 to 11 the console has opened them before anybody else comes. */
const isOpenAlready = major >= 8 && major < 12;

export function keepLastWords(): void {
  const names: readonly OutputName[] = ['stdout', 'stderr'];
  names.forEach((name, index) =>
    attempt(() => {
      if (isPipe(index + 1)) blockOnceOpened(name);
    }),
  );
}

/** To open a stream costs time and memory: that is left to the application. */
function blockOnceOpened(name: OutputName): void {
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  const original = descriptor?.get;
  if (!descriptor || !original) return;
  const open = (): OutputStream => original.call(process) as OutputStream;
  if (isOpenAlready) return block(open());
  const get = imitate(original, () => {
    const stream = open();
    attempt(() => block(stream));
    attempt(() => {
      if (Object.getOwnPropertyDescriptor(process, name)?.get === get)
        Object.defineProperty(process, name, descriptor);
    });
    return stream;
  });
  Object.defineProperty(process, name, Object.assign({}, descriptor, { get }));
}

function block({ _type: type, _handle: handle }: OutputStream): void {
  if (type === 'pipe' && handle && typeof handle.setBlocking === 'function') handle.setBlocking(true);
}

/**
 * An opening of its own for a child that inherits stdout or stderr: whether a pipe blocks holds for all who share one,
 * and a child may want it otherwise. Null where it cannot be had.
 */
export function openAgain(fd: number): number | null {
  const path = `/proc/self/fd/${fd}`;
  const opened = attempt(() => {
    if (!isPipe(fd)) return null;
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)); // fails without a reader
    return openSync(path, constants.O_WRONLY); // would wait for one
  });
  return opened ?? null;
}

function isPipe(fd: number): boolean {
  return Descriptor.of(fd, (stats) => stats.isFIFO()) !== null;
}
