/**
 * Wrappers (npm, npx, sh -c, egg-scripts) start the application as a child: what this process got from upkeep goes on to
 * its children. Only descriptors named in stdio reach a child of Node, so they follow what is there, and its
 * variables tell their new numbers.
 */
import type { ChildProcess } from 'node:child_process';
import { attempt } from './attempt.js';
import type { ChildProcessPrototype, SpawnOptions } from './internals.js';
import { fs } from './node.js';
import { openAgain } from './output.js';
import { replaceMethod } from './replace.js';

/** The descriptors to give, and the variables that name them for given numbers. */
export interface Inheritance {
  readonly fds: readonly number[];
  variables(fds: readonly number[], options: string | null): { readonly [name: string]: string };
  /** Of Node, for versions that do not know NODE_OPTIONS. */
  readonly args: readonly string[];
}

const { closeSync } = fs;
const OURS = ['UPKEEP_PRELOAD', 'UPKEEP_CHANNEL', 'NODE_OPTIONS'];

/** `onSpawned`: the child was started. */
export function wrapSpawn(
  inherit: (isClusterWorker: boolean) => Inheritance | null,
  onSpawned: (child: ChildProcess) => void,
): ChildProcess {
  const { prototype } = (
    require('node:child_process') as { ChildProcess: { prototype: ChildProcessPrototype } }
  ).ChildProcess;
  replaceMethod(
    prototype,
    'spawn',
    (original) =>
      function (options) {
        const opened: number[] = [];
        attempt(() => openOutputAgain(options, opened));
        const visible = attempt(() => extend(options, inherit));
        try {
          const result = original.call(this, options);
          attempt(() => onSpawned(this));
          return result;
        } finally {
          if (visible) attempt(() => hide(this, visible));
          for (const fd of opened) attempt(() => closeSync(fd));
        }
      },
  );
  return prototype as unknown as ChildProcess;
}

/** What it inherits of stdout and stderr; `opened` is to be closed again. */
function openOutputAgain(options: SpawnOptions, opened: number[]): void {
  const stdio = listStdio(options.stdio || 'pipe');
  if (!stdio) return;
  options.stdio = stdio.map((entry, index) => {
    const fd = entry === 'inherit' ? index : descriptorOf(entry);
    const again = fd === 1 || fd === 2 ? openAgain(fd) : null;
    if (again !== null) opened.push(again);
    return again ?? entry;
  });
}

/** Of a stream, too. */
function descriptorOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null ? (entry as { fd?: unknown }).fd : entry;
}

interface Visible {
  readonly stdioLength: number;
  readonly args: string[];
}

function hide(child: ChildProcess, { stdioLength, args }: Visible): void {
  (child.stdio as unknown[]).length = stdioLength;
  (child as { spawnargs: string[] }).spawnargs = args;
}

/** Answers what the application shall see of it. */
function extend(
  options: SpawnOptions,
  inherit: (isClusterWorker: boolean) => Inheritance | null,
): Visible | undefined {
  const { envPairs = [], args = [] } = options;
  const inheritance = inherit(envPairs.some((pair) => pair.startsWith('NODE_UNIQUE_ID=')));
  const stdio = listStdio(options.stdio || 'pipe');
  if (!inheritance || !stdio) return undefined;
  const fds = inheritance.fds.map((_, index) => stdio.length + index);
  options.stdio = stdio.concat(inheritance.fds);
  options.envPairs = withVariables(envPairs, (nodeOptions) => inheritance.variables(fds, nodeOptions));
  if (inheritance.args.length > 0 && options.file === process.execPath) {
    options.args = [...args.slice(0, 1), ...inheritance.args, ...args.slice(1)];
  }
  return { stdioLength: stdio.length, args };
}

/** As Node reads it; undefined where Node will throw. */
function listStdio(stdio: unknown): unknown[] | undefined {
  if (Array.isArray(stdio)) {
    const list: unknown[] = [...stdio];
    while (list.length < 3) list.push(undefined);
    return list;
  }
  if (stdio === 'inherit') return [0, 1, 2];
  return stdio === 'pipe' || stdio === 'ignore' || stdio === 'overlapped' ? [stdio, stdio, stdio] : undefined;
}

function withVariables(
  pairs: readonly string[],
  variables: (nodeOptions: string | null) => { readonly [name: string]: string },
): string[] {
  const nodeOptions = pairs.find((pair) => pair.startsWith('NODE_OPTIONS='));
  const added = variables(nodeOptions === undefined ? null : nodeOptions.slice('NODE_OPTIONS='.length));
  const kept = pairs.filter((pair) => !OURS.some((name) => pair.startsWith(`${name}=`)));
  return kept.concat(Object.keys(added).map((name) => `${name}=${added[name]}`));
}
